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
/// nearest, and "product openblas THREADS N IC OC TIMES" with those of a plain matrix product, TIMES times.
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda, const float* b,
                       const int* ldb, const float* beta, float* c, const int* ldc);

namespace {

std::vector<float> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
    return values;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double knn(std::istringstream& words) {
    int d = 0;
    int threads = 0;
    std::string base;
    std::string queries;
    words >> d >> threads >> base >> queries;
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
    return seconds_since(start);
}

double product(std::istringstream& words) {
    std::string library;
    int threads = 0;
    int n = 0;
    int ic = 0;
    int oc = 0;
    int times = 0;
    words >> library >> threads >> n >> ic >> oc >> times;
    omp_set_num_threads(threads);
    const auto values = [](int rows, int columns) {
        return std::vector<float>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns), 0.5F);
    };
    const std::vector<float> src = values(n, ic);
    const std::vector<float> weights = values(ic, oc);
    std::vector<float> dst = values(n, oc);
    const float one = 1.0F;
    const float zero = 0.0F;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) {  // by columns, as BLAS counts them
        sgemm_("N", "N", &oc, &n, &ic, &one, weights.data(), &oc, src.data(), &ic, &zero, dst.data(), &oc);
    }
    return seconds_since(start);
}

}  // namespace

int main() {
    std::printf("ready\n");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        if (what != "knn" && what != "product") {
            std::printf("unknown request\n");
            return 1;
        }
        std::printf("%.6f\n", what == "knn" ? knn(words) : product(words));
        std::fflush(stdout);
    }
    return 0;
}
