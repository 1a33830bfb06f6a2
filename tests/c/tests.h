/* What tests in C need: named tests, checks that tell the line, texts of errors. */
#ifndef STACKAE_TESTS_C_TESTS_H
#define STACKAE_TESTS_C_TESTS_H

#include <stackae/stackae.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test {
    const char* name;
    void (*run)(void);
} test;

/* Ends the program where a condition does not hold. */
#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

/* A call that must go well; its last argument is &message. */
#define OK(call)                                                                             \
    do {                                                                                     \
        char* message = NULL;                                                                \
        const stackae_status status = (call);                                                \
        if (status != STACKAE_OK || message != NULL) {                                       \
            fprintf(stderr, "%s:%d: %s: %d, %s\n", __FILE__, __LINE__, #call, (int)status,   \
                    message != NULL ? message : "no message");                               \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/* One that must fail so, with a message that has a text in it. */
#define FAILS(expected, text, call)                                                          \
    do {                                                                                     \
        char* message = NULL;                                                                \
        const stackae_status status = (call);                                                \
        if (status != (expected) || message == NULL || strstr(message, (text)) == NULL) {    \
            fprintf(stderr, "%s:%d: %s: %d, %s\n", __FILE__, __LINE__, #call, (int)status,   \
                    message != NULL ? message : "no message");                               \
            exit(1);                                                                         \
        }                                                                                    \
        stackae_string_free(message);                                                        \
    } while (0)

/* A path in the folder that tests write into; until the next but three. */
const char* written(const char* name);
/* Rings of several sizes: n x side x side floats in [0, 1]. To be freed. */
float* draw_rings(int64_t n, int64_t side);
/* A model of 6 values, learnt from them. */
stackae_model* train_on_rings(int64_t n, int64_t side);
void write_text(const char* path, const char* text);

extern const test encoding_tests[];
extern const test using_tests[];

#endif
