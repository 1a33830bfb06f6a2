/* Pictures, training, features and what goes wrong with them. */
#include "tests.h"

#include <pthread.h>

enum { side = 12, many = 150, code_size = 6 };

static void check_same(const float* some, const float* others, int64_t n) {
    int64_t i;
    for (i = 0; i < n; ++i) {
        CHECK(some[i] == others[i]);
    }
}

static stackae_encoder* encoder_of(const stackae_model* model) {
    stackae_encoder* encoder = NULL;
    OK(stackae_encoder_create(model, NULL, &encoder, &message));
    return encoder;
}

static void pictures_are_encoded(void) {
    stackae_model* const model = train_on_rings(many, side);
    stackae_encoder* const encoder = encoder_of(model);
    float* const values = draw_rings(many, side);
    stackae_pictures* pictures = NULL;
    stackae_pictures* few = NULL;
    float codes[many * code_size], other[many * code_size];
    float* const rows = malloc(many * side * side * sizeof(float));
    float* const rebuilt = malloc(many * side * side * sizeof(float));
    float* const decoded = malloc(many * side * side * sizeof(float));
    int64_t height, width, channels, skipped = -1, i;
    double error = 0.0, spread = 0.0;

    stackae_model_input_shape(model, &height, &width, &channels);
    CHECK(height == side && width == side && channels == 1);
    stackae_model_free(model); /* the encoder has what it needs */
    CHECK(stackae_encoder_code_size(encoder) == code_size);
    CHECK(stackae_encoder_input_size(encoder) == side * side);

    OK(stackae_pictures_from_floats(values, many, side, side, 1, &pictures, &message));
    CHECK(stackae_pictures_count(pictures) == many);
    OK(stackae_encoder_encode(encoder, pictures, NULL, codes, &skipped, &message));
    CHECK(skipped == 0);
    for (i = 1; i < many; ++i) {
        CHECK(memcmp(codes, codes + i * code_size, code_size * sizeof(float)) != 0);
    }

    /* The same by a kept encoder, which few pictures are encoded by, and step by step. */
    OK(stackae_pictures_from_floats(values, 5, side, side, 1, &few, &message));
    OK(stackae_encoder_encode(encoder, few, NULL, other, NULL, &message));
    check_same(codes, other, 5 * code_size);
    OK(stackae_encoder_prepare(encoder, pictures, NULL, rows, &skipped, &message));
    check_same(rows, values, many * side * side);
    OK(stackae_encoder_encode_rows(encoder, rows, many, other, &message));
    check_same(codes, other, many * code_size);

    OK(stackae_encoder_reconstruct(encoder, rows, many, rebuilt, &message));
    OK(stackae_encoder_decode(encoder, codes, many, decoded, &message));
    for (i = 0; i < many * side * side; ++i) {
        CHECK(fabs((double)rebuilt[i] - (double)decoded[i]) < 1e-5);
        error += pow((double)rebuilt[i] - (double)values[i], 2);
        spread += pow((double)values[i], 2);
    }
    CHECK(error < spread);

    free(values);
    free(rows);
    free(rebuilt);
    free(decoded);
    stackae_pictures_free(pictures);
    stackae_pictures_free(few);
    stackae_encoder_free(encoder);
}

static void bytes_and_rows_are_pictures(void) {
    uint8_t bytes[3 * side * side];
    float rows[3 * side * side], prepared[3 * side * side];
    stackae_model* const model = train_on_rings(many, side);
    stackae_encoder* const encoder = encoder_of(model);
    stackae_pictures* pictures = NULL;
    int64_t i;
    for (i = 0; i < 3 * side * side; ++i) {
        bytes[i] = (uint8_t)(i % 256);
        rows[i] = (float)(i % 256) / 255.0F;
    }
    OK(stackae_pictures_from_bytes(bytes, 3, side, side, 1, &pictures, &message));
    memset(bytes, 0, sizeof bytes); /* they are copied */
    OK(stackae_encoder_prepare(encoder, pictures, NULL, prepared, NULL, &message));
    check_same(prepared, rows, 3 * side * side);
    stackae_pictures_free(pictures);

    OK(stackae_pictures_from_rows(rows, 3, side * side, &pictures, &message));
    OK(stackae_encoder_prepare(encoder, pictures, NULL, prepared, NULL, &message));
    check_same(prepared, rows, 3 * side * side);
    stackae_pictures_free(pictures);
    stackae_encoder_free(encoder);
    stackae_model_free(model);
}

static void models_are_saved_and_loaded(void) {
    stackae_model* const model = train_on_rings(many, side);
    stackae_model* again = NULL;
    char *identity = NULL, *of_again = NULL, *json = NULL;
    OK(stackae_model_save(model, written("rings.stackae"), &message));
    OK(stackae_model_load(written("rings.stackae"), &again, &message));
    OK(stackae_model_identity(model, &identity, &message));
    OK(stackae_model_identity(again, &of_again, &message));
    CHECK(strlen(identity) == 16 && strcmp(identity, of_again) == 0);
    OK(stackae_model_describe(again, &json, &message));
    CHECK(json[0] == '{' && strstr(json, "\"identity\"") != NULL && strstr(json, identity) != NULL);
    stackae_string_free(identity);
    stackae_string_free(of_again);
    stackae_string_free(json);
    OK(stackae_model_export_onnx(again, written("rings.onnx"), NULL, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "opset",
          stackae_model_export_onnx(again, written("rings.onnx"), (const char*[]){"opset=99", NULL}, &message));
    stackae_model_free(model);
    stackae_model_free(again);
}

/* What a thread encodes with, and what it found. */
typedef struct part {
    const stackae_encoder* encoder;
    const stackae_pictures* pictures;
    float codes[many * code_size];
    stackae_status status;
} part;

static void* encode_often(void* argument) {
    part* const own = argument;
    int i;
    for (i = 0; i < 20 && own->status == STACKAE_OK; ++i) {
        own->status = stackae_encoder_encode(own->encoder, own->pictures, NULL, own->codes, NULL, NULL);
    }
    return NULL;
}

static void one_encoder_serves_several_threads(void) {
    enum { threads = 4 };
    static part parts[threads];
    pthread_t running[threads];
    float codes[many * code_size];
    stackae_model* const model = train_on_rings(many, side);
    stackae_encoder* encoder = NULL;
    float* const values = draw_rings(many, side);
    stackae_pictures *all = NULL, *few = NULL;
    int i;
    OK(stackae_encoder_create(model, (const char*[]){"threads=1", NULL}, &encoder, &message));
    OK(stackae_pictures_from_floats(values, many, side, side, 1, &all, &message));
    OK(stackae_pictures_from_floats(values, 8, side, side, 1, &few, &message));
    OK(stackae_encoder_encode(encoder, all, NULL, codes, NULL, &message));
    for (i = 0; i < threads; ++i) {
        parts[i].encoder = encoder;
        parts[i].pictures = i % 2 == 0 ? all : few;
        parts[i].status = STACKAE_OK;
        CHECK(pthread_create(&running[i], NULL, encode_often, &parts[i]) == 0);
    }
    for (i = 0; i < threads; ++i) {
        CHECK(pthread_join(running[i], NULL) == 0);
        CHECK(parts[i].status == STACKAE_OK);
        check_same(codes, parts[i].codes, (i % 2 == 0 ? many : 8) * code_size);
    }
    free(values);
    stackae_pictures_free(all);
    stackae_pictures_free(few);
    stackae_encoder_free(encoder);
    stackae_model_free(model);
}

static void* train_alone(void* identity) {
    stackae_model* const model = train_on_rings(many, side);
    OK(stackae_model_identity(model, (char**)identity, &message));
    stackae_model_free(model);
    return NULL;
}

static void two_trainings_at_a_time_do_not_meet(void) {
    char* identities[3] = {NULL, NULL, NULL};
    pthread_t other;
    train_alone(&identities[0]);
    CHECK(pthread_create(&other, NULL, train_alone, &identities[1]) == 0);
    train_alone(&identities[2]);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(strcmp(identities[0], identities[1]) == 0 && strcmp(identities[0], identities[2]) == 0);
    stackae_string_free(identities[0]);
    stackae_string_free(identities[1]);
    stackae_string_free(identities[2]);
}

/* Counts events, and says stop after so many epochs. */
typedef struct counts {
    int of_event[8];
    int stop_after;
    char last_skipped[512];
} counts;

static void count(void* context, stackae_event event, const char* json) {
    counts* const own = context;
    CHECK(json[0] == '{');
    ++own->of_event[event];
    if (event == STACKAE_EVENT_SKIPPED) {
        snprintf(own->last_skipped, sizeof own->last_skipped, "%s", json);
    }
}

static int should_stop(void* context) {
    const counts* const own = context;
    return own->stop_after != 0 && own->of_event[STACKAE_EVENT_EPOCH] >= own->stop_after;
}

static void a_training_is_watched_and_stopped(void) {
    const char* const options[] = {"stack=dense:8, dense:4", "epochs=3", NULL};
    float* const values = draw_rings(many, side);
    counts seen = {{0}, 0, ""};
    stackae_observer observer = {NULL, count, should_stop};
    stackae_pictures* pictures = NULL;
    stackae_model* model = NULL;
    char* json = NULL;
    observer.context = &seen;
    OK(stackae_pictures_from_floats(values, many, side, side, 1, &pictures, &message));
    OK(stackae_model_train(pictures, options, &observer, &model, &message));
    CHECK(seen.of_event[STACKAE_EVENT_STAGE] >= 2);
    CHECK(seen.of_event[STACKAE_EVENT_EPOCH] >= 6);
    CHECK(seen.of_event[STACKAE_EVENT_PROGRESS] > 0);
    stackae_model_free(model);

    /* At once: nothing is learnt. */
    memset(&seen, 0, sizeof seen);
    seen.stop_after = -1;
    FAILS(STACKAE_STOPPED, "stop", stackae_model_train(pictures, options, &observer, &model, &message));
    CHECK(model == NULL);
    /* Within the first layer: that is there. */
    memset(&seen, 0, sizeof seen);
    seen.stop_after = 2;
    FAILS(STACKAE_STOPPED, "stop", stackae_model_train(pictures, options, &observer, &model, &message));
    CHECK(model != NULL);
    OK(stackae_model_describe(model, &json, &message));
    CHECK(strstr(json, "\"dense:8") != NULL && strstr(json, "\"dense:4") == NULL);
    stackae_string_free(json);
    stackae_model_free(model);
    stackae_pictures_free(pictures);
    free(values);
}

static void a_model_is_fine_tuned(void) {
    float* const values = draw_rings(many, side);
    stackae_model* const model = train_on_rings(many, side);
    stackae_model *tuned = NULL, *model_of_none = NULL;
    stackae_pictures* pictures = NULL;
    char *before = NULL, *after = NULL;
    OK(stackae_pictures_from_floats(values, many, side, side, 1, &pictures, &message));
    OK(stackae_model_fine_tune(model, pictures, (const char*[]){"fine_tune_epochs=2", NULL}, NULL, &tuned,
                               &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "\"stack\" found",
          stackae_model_fine_tune(model, pictures, (const char*[]){"stack=dense:3", NULL}, NULL, &model_of_none, &message));
    OK(stackae_model_identity(model, &before, &message));
    OK(stackae_model_identity(tuned, &after, &message));
    CHECK(strcmp(before, after) != 0);
    stackae_string_free(before);
    stackae_string_free(after);
    stackae_model_free(model);
    stackae_model_free(tuned);
    stackae_pictures_free(pictures);
    free(values);
}

static void pictures_that_cannot_be_read_are_told_of(void) {
    enum { files = 3 };
    const char* paths[files];
    float codes[files * code_size];
    char bad[512], gone[512], good[512];
    counts seen = {{0}, 0, ""};
    stackae_observer observer = {NULL, count, NULL};
    stackae_model* const model = train_on_rings(many, side);
    stackae_encoder* const encoder = encoder_of(model);
    stackae_pictures* pictures = NULL;
    char* path = NULL;
    int64_t skipped = 0;
    int i;
    observer.context = &seen;
    snprintf(bad, sizeof bad, "%s", written("bad.png"));
    snprintf(gone, sizeof gone, "%s", written("gone.png"));
    snprintf(good, sizeof good, "%s", written("good.pgm"));
    write_text(bad, "no picture\n");
    write_text(good, "P2 2 2 255\n0 100\n200 255\n");
    paths[0] = bad;
    paths[1] = good;
    paths[2] = gone;
    OK(stackae_pictures_from_files(paths, files, &pictures, &message));
    path = stackae_pictures_path(pictures, 1);
    CHECK(strcmp(path, good) == 0);
    stackae_string_free(path);
    CHECK(stackae_pictures_path(pictures, files) == NULL && stackae_pictures_label(pictures, 1) == NULL);
    OK(stackae_encoder_encode(encoder, pictures, &observer, codes, &skipped, &message));
    CHECK(skipped == 2 && seen.of_event[STACKAE_EVENT_SKIPPED] == 2);
    CHECK(strstr(seen.last_skipped, "gone.png") != NULL && strstr(seen.last_skipped, "\"reason\"") != NULL);
    for (i = 0; i < files * code_size; ++i) {
        CHECK((isnan(codes[i]) != 0) == (i / code_size != 1));
    }
    stackae_pictures_free(pictures);
    stackae_encoder_free(encoder);
    stackae_model_free(model);
}

static void what_cannot_be_is_refused_with_a_message(void) {
    stackae_model* model = NULL;
    stackae_model* const rings = train_on_rings(many, side);
    stackae_encoder* encoder = NULL;
    stackae_pictures* pictures = NULL;
    stackae_pictures* wide = NULL;
    float values[2 * 7] = {0};
    float codes[2 * code_size] = {0};
    char* json = NULL;

    FAILS(STACKAE_IO_ERROR, "nothing.stackae", stackae_model_load(written("nothing.stackae"), &model, &message));
    write_text(written("torn.stackae"), "no model");
    FAILS(STACKAE_CORRUPT_FILE, "torn.stackae", stackae_model_load(written("torn.stackae"), &model, &message));
    FAILS(STACKAE_IO_ERROR, "nowhere", stackae_model_save(rings, "/nowhere/rings.stackae", &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "path: NULL found", stackae_model_load(NULL, &model, &message));
    CHECK(model == NULL);
    FAILS(STACKAE_INVALID_ARGUMENT, "model: NULL found", stackae_encoder_create(NULL, NULL, &encoder, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "encoder: NULL found", stackae_encoder_create(rings, NULL, NULL, &message));
    CHECK(stackae_model_load(NULL, &model, NULL) == STACKAE_INVALID_ARGUMENT); /* without a message */

    FAILS(STACKAE_INVALID_ARGUMENT, "\"colour\" found, one of threads, memory, output, l2_normalize expected",
          stackae_encoder_create(rings, (const char*[]){"colour=red", NULL}, &encoder, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "NAME=VALUE expected",
          stackae_encoder_create(rings, (const char*[]){"threads", NULL}, &encoder, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "threads",
          stackae_encoder_create(rings, (const char*[]){"threads=-1", NULL}, &encoder, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "wide",
          stackae_encoder_create(rings, (const char*[]){"output=wide", NULL}, &encoder, &message));
    CHECK(encoder == NULL);
    FAILS(STACKAE_INVALID_ARGUMENT, "pictures: 0 found",
          stackae_pictures_from_floats(values, 0, 1, 7, 1, &pictures, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "values: NULL found",
          stackae_pictures_from_rows(NULL, 2, 7, &pictures, &message));
    FAILS(STACKAE_IO_ERROR, "nothing", stackae_pictures_open(written("nothing"), &pictures, &message));
    CHECK(pictures == NULL);

    OK(stackae_encoder_create(rings, NULL, &encoder, &message));
    OK(stackae_pictures_from_rows(values, 2, 7, &wide, &message)); /* of another width than the model's */
    FAILS(STACKAE_INVALID_ARGUMENT, "7", stackae_encoder_encode(encoder, wide, NULL, codes, NULL, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "codes: NULL found",
          stackae_encoder_encode(encoder, wide, NULL, NULL, NULL, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "-1", stackae_encoder_decode(encoder, codes, -1, codes, &message));

    FAILS(STACKAE_INVALID_ARGUMENT, "one of encoder, fine_tune, gallery", stackae_describe_options("cooking", &json, &message));
    OK(stackae_describe_options("train", &json, &message));
    CHECK(json[0] == '[' && strstr(json, "\"learning_rate\"") != NULL && strstr(json, "\"budget\"") != NULL);
    stackae_string_free(json);

    stackae_pictures_free(wide);
    stackae_encoder_free(encoder);
    stackae_model_free(rings);
    stackae_model_free(NULL); /* as free() takes it */
    stackae_encoder_free(NULL);
    stackae_pictures_free(NULL);
    stackae_string_free(NULL);
}

const test encoding_tests[] = {
    {"Pictures are encoded, rebuilt and decoded", pictures_are_encoded},
    {"Bytes and rows of numbers are pictures as well as floats", bytes_and_rows_are_pictures},
    {"Models are saved, loaded, described and exported", models_are_saved_and_loaded},
    {"One encoder serves several threads at a time", one_encoder_serves_several_threads},
    {"Two trainings at a time do not meet", two_trainings_at_a_time_do_not_meet},
    {"A training is watched and stopped", a_training_is_watched_and_stopped},
    {"A model is fine-tuned on other pictures", a_model_is_fine_tuned},
    {"Pictures that cannot be read are told of, and shift no code", pictures_that_cannot_be_read_are_told_of},
    {"What cannot be is refused with a message, and changes nothing", what_cannot_be_is_refused_with_a_message},
    {NULL, NULL},
};
