#include <chrono>
#include <cstdio>
#include <faiss/IndexFlat.h>
#include <fstream>
#include <iostream>
#include <omp.h>
#include <sstream>
#include <string>
#include <vector>

/// Answers "knn D THREADS BASE QUERIES" with the seconds that FAISS's flat index takes to find the 10
/// nearest.
namespace {

std::vector<float> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
    return values;
}

}  // namespace

int main() {
    std::printf("ready\n");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        std::string base;
        std::string queries;
        int d = 0;
        int threads = 0;
        words >> what >> d >> threads >> base >> queries;
        if (what != "knn" || !words) {
            std::printf("unknown request\n");
            return 1;
        }
        omp_set_num_threads(threads);
        const std::vector<float> rows = read(base);
        const std::vector<float> asked = read(queries);
        faiss::IndexFlatL2 index(d);
        index.add(static_cast<faiss::Index::idx_t>(rows.size()) / d, rows.data());
        const auto n = static_cast<faiss::Index::idx_t>(asked.size()) / d;
        std::vector<float> distances(static_cast<std::size_t>(n) * 10);
        std::vector<faiss::Index::idx_t> labels(distances.size());
        const auto start = std::chrono::steady_clock::now();
        index.search(n, asked.data(), 10, distances.data(), labels.data());
        std::printf("%.6f\n",
                    std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        std::fflush(stdout);
    }
    return 0;
}
