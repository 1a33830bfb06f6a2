/* Names each picture of a folder, list or file by a gallery: name_pictures MODEL GALLERY PICTURES */
#include <stackae/stackae.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program where a call has failed. */
static void check(stackae_status status, char* message) {
    if (status != STACKAE_OK) {
        fprintf(stderr, "name_pictures: %s\n", message);
        stackae_string_free(message);
        exit(1);
    }
}

static void on_event(void* context, stackae_event event, const char* json) {
    (void)context;
    if (event == STACKAE_EVENT_SKIPPED) {
        fprintf(stderr, "skipped: %s\n", json);
    }
}

int main(int argc, char** argv) {
    const stackae_observer observer = {NULL, on_event, NULL};
    char* message = NULL;
    stackae_model* model = NULL;
    stackae_gallery* gallery = NULL;
    stackae_pictures* pictures = NULL;
    stackae_encoder* encoder = NULL;
    stackae_recognizer* recognizer = NULL;
    if (argc != 4) {
        fputs("Usage: name_pictures MODEL GALLERY PICTURES\n", stderr);
        return 2;
    }
    check(stackae_model_load(argv[1], &model, &message), message);
    check(stackae_gallery_load(argv[2], &gallery, &message), message);
    check(stackae_pictures_open(argv[3], &pictures, &message), message);
    check(stackae_encoder_create_for_gallery(model, gallery, NULL, &encoder, &message), message);
    check(stackae_recognizer_create(gallery, NULL, &recognizer, &message), message);

    const int64_t n = stackae_pictures_count(pictures);
    const int64_t size = stackae_encoder_code_size(encoder);
    float* const codes = malloc((size_t)(n * size) * sizeof(float));
    if (codes == NULL) {
        fputs("name_pictures: out of memory\n", stderr);
        return 1;
    }
    check(stackae_encoder_encode(encoder, pictures, &observer, codes, NULL, &message), message);
    for (int64_t i = 0; i < n; ++i) {
        const float* const code = codes + i * size;
        if (code[0] != code[0]) {
            continue; /* not a number: it was skipped */
        }
        stackae_recognitions* found = NULL;
        check(stackae_recognizer_recognize(recognizer, code, 1, size, &found, &message), message);
        const stackae_recognition* const one = stackae_recognitions_at(found, 0);
        char* const path = stackae_pictures_path(pictures, i);
        printf("%s,%s,%g\n", path, one->name, one->distance);
        stackae_string_free(path);
        stackae_recognitions_free(found);
    }

    free(codes);
    stackae_recognizer_free(recognizer);
    stackae_encoder_free(encoder);
    stackae_pictures_free(pictures);
    stackae_gallery_free(gallery);
    stackae_model_free(model);
    return 0;
}
