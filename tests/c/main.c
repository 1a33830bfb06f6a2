/* Runs the test of a name: test_c FOLDER NAME. FOLDER is written into. */
#include "tests.h"

static const char* folder;

const char* written(const char* name) {
    static char paths[4][512];
    static int next = 0;
    char* const path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

float* draw_rings(int64_t n, int64_t side) {
    float* const values = malloc((size_t)(n * side * side) * sizeof(float));
    int64_t i, y, x;
    CHECK(values != NULL);
    for (i = 0; i < n; ++i) {
        const double radius = 1.0 + (double)side / 2.5 * (double)((i * 37) % n) / (double)n;
        for (y = 0; y < side; ++y) {
            for (x = 0; x < side; ++x) {
                const double cy = (double)y - (double)side / 2.0 + (double)(i % 3) - 1.0;
                const double cx = (double)x - (double)side / 2.0 + (double)(i % 5) / 2.0 - 1.0;
                const double off = sqrt(cy * cy + cx * cx) - radius;
                values[(i * side + y) * side + x] = (float)exp(-off * off);
            }
        }
    }
    return values;
}

stackae_model* train_on_rings(int64_t n, int64_t side) {
    const char* const options[] = {"stack=dense:12, dense:6:activation=linear", "epochs=3", "threads=1", NULL};
    float* const values = draw_rings(n, side);
    stackae_pictures* pictures = NULL;
    stackae_model* model = NULL;
    OK(stackae_pictures_from_floats(values, n, side, side, 1, &pictures, &message));
    OK(stackae_model_train(pictures, options, NULL, &model, &message));
    stackae_pictures_free(pictures);
    free(values);
    return model;
}

void write_text(const char* path, const char* text) {
    FILE* const file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK(fclose(file) == 0);
}

static int run(const test* tests, const char* name) {
    int found = 0;
    for (; tests->name != NULL; ++tests) {
        if (strcmp(tests->name, name) == 0) {
            tests->run();
            ++found;
        }
    }
    return found;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fputs("Usage: test_c FOLDER NAME\n", stderr);
        return 2;
    }
    folder = argv[1];
    if (run(encoding_tests, argv[2]) + run(using_tests, argv[2]) != 1) {
        fprintf(stderr, "There is no test \"%s\", or two\n", argv[2]);
        return 2;
    }
    return 0;
}
