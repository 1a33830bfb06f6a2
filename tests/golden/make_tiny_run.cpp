#include <cstdio>

#include "golden/tiny_run.hpp"

/// Prints the trace that tiny_run.csv keeps.
int main() {
    std::puts("loss");
    for (const double loss : golden::naive_trace()) {
        std::printf("%.9f\n", loss);
    }
}
