/* stackae for C, and through it for every language that calls C: the library libstackae_c (pkg-config stackae_c).
 *
 * Handles. What a function makes is given by the last but one parameter and is freed by the function of its kind, which
 * takes NULL, too. Handles do not depend on one another once they are made: a model may be freed while its encoder is
 * in use. There is no state but that of handles, and one thread that signals are left to. The library stays loaded.
 *
 * Errors. Functions that can fail return a status. `message`, where it is not NULL, is set: to NULL where all went well,
 * else to a text that says what was done, what was found and what was expected, which stackae_string_free() frees.
 * Handles and numbers are written only where the status is STACKAE_OK, or where a function says so; what is in arrays
 * after a failure is left open.
 *
 * Threads. Functions whose handle is `const` may be called on one handle by several threads at a time, encoders,
 * recognizers, scorers and recommenders among them; others not while another uses it. While a function works, signals
 * that the program handles are left to a thread that does nothing else.
 *
 * Options are texts "NAME=VALUE", the last followed by NULL; options that are not there have their usual values, and
 * NULL in place of all is to say none. stackae_describe_options() tells what there is.
 *
 * Arrays are dense, in C order; n is the number of pictures or rows. Texts are of bytes that end with 0, UTF-8 where
 * they are not names of files. A function never changes what a `const` pointer leads to. */
#ifndef STACKAE_STACKAE_H
#define STACKAE_STACKAE_H

#include <stddef.h>
#include <stdint.h>

#define STACKAE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* What became of a call. */
typedef enum stackae_status {
    STACKAE_OK = 0,
    STACKAE_INVALID_ARGUMENT = 1, /* the caller asked for something that cannot be */
    STACKAE_IO_ERROR = 2,         /* a file that is missing, unreadable or cannot be written */
    STACKAE_CORRUPT_FILE = 3,     /* a file was read, but what is in it cannot be believed */
    STACKAE_BACKEND_ERROR = 4,    /* a library below failed */
    STACKAE_DIVERGENCE = 5,       /* a training ran away */
    STACKAE_NOT_FINITE = 6,       /* what a model makes of a picture is infinite or not a number */
    STACKAE_OUT_OF_MEMORY = 7,
    STACKAE_STOPPED = 8, /* the observer said stop */
    STACKAE_FAILED = 9   /* anything else */
} stackae_status;

/* MAJOR.MINOR.PATCH of the library that is loaded. */
STACKAE_API const char* stackae_version(void);
STACKAE_API void stackae_string_free(char* text);

/* What is told while pictures are read or something is learnt, on the caller's thread. `json` is an object. */
typedef enum stackae_event {
    STACKAE_EVENT_SKIPPED = 0,  /* a picture cannot be used: index, path, status, reason */
    STACKAE_EVENT_REMARK = 1,   /* one that is used all the same: index, path, text */
    STACKAE_EVENT_PROGRESS = 2, /* done, of; of a training's stage also epoch, epochs; part */
    STACKAE_EVENT_STAGE = 3,    /* a stage of a training begins: stage, epochs, parameters */
    STACKAE_EVENT_EPOCH = 4,    /* an epoch has ended: stage, epoch, train_loss, validation_loss, ... */
    STACKAE_EVENT_RESUMED = 5   /* a training goes on from a checkpoint: stage, stages */
} stackae_event;

/* Either function may be NULL, and so may a pointer to an observer. Neither may throw or jump out of the call. */
typedef struct stackae_observer {
    void* context; /* handed to both */
    void (*on_event)(void* context, stackae_event event, const char* json);
    int (*stop)(void* context); /* asked again and again; not 0: the call is to end */
} stackae_observer;

/* The options of a function, as a JSON array of objects: name, expected, value (the usual one), help. of:
 * "train", "train_table", "fine_tune", "encoder", "gallery", "gallery_encoder", "recognizer", "patch_memory", "scorer",
 * "table", "recommender", "onnx". */
STACKAE_API stackae_status stackae_describe_options(const char* of, char** json, char** message);

/* Pictures: files, or arrays in memory. */
typedef struct stackae_pictures stackae_pictures;

/* A picture, a folder (the first folder level below it is the label), a .txt list of paths, IDX, .npy or .npz. */
STACKAE_API stackae_status stackae_pictures_open(const char* path, stackae_pictures** pictures, char** message);
/* Files, one by one. */
STACKAE_API stackae_status stackae_pictures_from_files(const char* const* paths, int64_t n, stackae_pictures** pictures,
                                                       char** message);
/* n x height x width x channels; 1: gray, 3: RGB, 4: and alpha, others are measurements. Copied. */
STACKAE_API stackae_status stackae_pictures_from_bytes(const uint8_t* values, int64_t n, int64_t height, int64_t width,
                                                       int64_t channels, stackae_pictures** pictures, char** message);
/* The same of floats, which are in [0, 1] unless the preprocessing standardises. Not copied: the values must outlive the
 * pictures. */
STACKAE_API stackae_status stackae_pictures_from_floats(const float* values, int64_t n, int64_t height, int64_t width,
                                                        int64_t channels, stackae_pictures** pictures, char** message);
/* Rows of measurements, n x d. Not copied. */
STACKAE_API stackae_status stackae_pictures_from_rows(const float* values, int64_t n, int64_t d,
                                                      stackae_pictures** pictures, char** message);
STACKAE_API int64_t stackae_pictures_count(const stackae_pictures* pictures);
/* Of picture i, or NULL where there is none; freed by stackae_string_free(). */
STACKAE_API char* stackae_pictures_path(const stackae_pictures* pictures, int64_t i);
STACKAE_API char* stackae_pictures_label(const stackae_pictures* pictures, int64_t i);
STACKAE_API void stackae_pictures_free(stackae_pictures* pictures);

/* Tables of users and items, to recommend by. */
typedef struct stackae_table stackae_table;

/* A file as `stackae train` takes it (.csv, .tsv, .dat, .gz). Options "table". */
STACKAE_API stackae_status stackae_table_open(const char* path, const char* const* options, stackae_table** table,
                                              char** message);
/* Entries in any order: entry i is of user of_users[i] and item of_items[i], which are numbers of the ids given, and has
 * the value values[i], or 1 where values is NULL. Those of one user and item are one; a value of 0 or below is none. */
STACKAE_API stackae_status stackae_table_from_entries(const char* const* users, int64_t user_count,
                                                      const char* const* items, int64_t item_count,
                                                      const int64_t* of_users, const int64_t* of_items,
                                                      const float* values, int64_t n, const char* const* options,
                                                      stackae_table** table, char** message);
STACKAE_API int64_t stackae_table_user_count(const stackae_table* table);
STACKAE_API int64_t stackae_table_item_count(const stackae_table* table);
STACKAE_API void stackae_table_free(stackae_table* table);

/* Models. */
typedef struct stackae_model stackae_model;

STACKAE_API stackae_status stackae_model_load(const char* path, stackae_model** model, char** message);
/* Written whole or not at all. */
STACKAE_API stackae_status stackae_model_save(const stackae_model* model, const char* path, char** message);
/* Learns from pictures, with a stack that suits them when not told otherwise. Options "train". STACKAE_STOPPED: the
 * model holds the layers that were learnt up to there, or is NULL where there is none. */
STACKAE_API stackae_status stackae_model_train(const stackae_pictures* pictures, const char* const* options,
                                               const stackae_observer* observer, stackae_model** model, char** message);
/* Learns from a table, to recommend by. Options "train_table". When stopped, as above. */
STACKAE_API stackae_status stackae_model_train_table(const stackae_table* table, const char* const* options,
                                                     const stackae_observer* observer, stackae_model** model,
                                                     char** message);
/* Goes on with a model's dense layers on other pictures. Options "fine_tune", else as the model was trained. When
 * stopped, as above. */
STACKAE_API stackae_status stackae_model_fine_tune(const stackae_model* model, const stackae_pictures* pictures,
                                                   const char* const* options, const stackae_observer* observer,
                                                   stackae_model** tuned, char** message);
/* An object: layers, outputs, preprocessing, identity. */
STACKAE_API stackae_status stackae_model_describe(const stackae_model* model, char** json, char** message);
/* 16 hexadecimal digits that tell one model from another. */
STACKAE_API stackae_status stackae_model_identity(const stackae_model* model, char** identity, char** message);
/* What a picture is brought to: height x width x channels floats. */
STACKAE_API void stackae_model_input_shape(const stackae_model* model, int64_t* height, int64_t* width,
                                           int64_t* channels);
/* An ONNX graph for other programs. Options "onnx". */
STACKAE_API stackae_status stackae_model_export_onnx(const stackae_model* model, const char* path,
                                                     const char* const* options, char** message);
STACKAE_API void stackae_model_free(stackae_model* model);

/* Features of pictures, and back. One encoder serves any number of threads. */
typedef struct stackae_encoder stackae_encoder;

/* Options "encoder". */
STACKAE_API stackae_status stackae_encoder_create(const stackae_model* model, const char* const* options,
                                                  stackae_encoder** encoder, char** message);
/* Values of a code. */
STACKAE_API int64_t stackae_encoder_code_size(const stackae_encoder* encoder);
/* Values of a picture as it is prepared: the product of stackae_model_input_shape(). */
STACKAE_API int64_t stackae_encoder_input_size(const stackae_encoder* encoder);
/* codes: n x code size. Pictures of any size are prepared first. One that cannot be used is told to the observer and
 * counted in `skipped` (which may be NULL), and its code is not a number. */
STACKAE_API stackae_status stackae_encoder_encode(const stackae_encoder* encoder, const stackae_pictures* pictures,
                                                  const stackae_observer* observer, float* codes, int64_t* skipped,
                                                  char** message);
/* Pictures as the model sees them: rows n x input size; of one that cannot be used not a number. */
STACKAE_API stackae_status stackae_encoder_prepare(const stackae_encoder* encoder, const stackae_pictures* pictures,
                                                   const stackae_observer* observer, float* rows, int64_t* skipped,
                                                   char** message);
/* Prepared rows, n x input size, to codes, n x code size: the quickest way. */
STACKAE_API stackae_status stackae_encoder_encode_rows(const stackae_encoder* encoder, const float* rows, int64_t n,
                                                       float* codes, char** message);
/* Codes, n x code size, back to prepared rows, n x input size. */
STACKAE_API stackae_status stackae_encoder_decode(const stackae_encoder* encoder, const float* codes, int64_t n,
                                                  float* rows, char** message);
/* Prepared rows as the model rebuilds them, both n x input size. */
STACKAE_API stackae_status stackae_encoder_reconstruct(const stackae_encoder* encoder, const float* rows, int64_t n,
                                                       float* rebuilt, char** message);
STACKAE_API void stackae_encoder_free(stackae_encoder* encoder);

/* Galleries: labelled codes to recognise by. */
typedef struct stackae_gallery stackae_gallery;

/* Without entries. model: what makes the codes; NULL: something else. Options "gallery". */
STACKAE_API stackae_status stackae_gallery_create(const stackae_model* model, const char* const* options,
                                                  stackae_gallery** gallery, char** message);
STACKAE_API stackae_status stackae_gallery_load(const char* path, stackae_gallery** gallery, char** message);
STACKAE_API stackae_status stackae_gallery_save(const stackae_gallery* gallery, const char* path, char** message);
/* Entries: codes n x d, each with a name and a path, by which a later entry takes its place. paths may be NULL: then
 * each is numbered. A call takes time with the gallery's size, too: many entries at a time are best. */
STACKAE_API stackae_status stackae_gallery_add(stackae_gallery* gallery, const float* codes, int64_t n, int64_t d,
                                               const char* const* names, const char* const* paths, char** message);
/* Takes out all entries of a name; how many there were is written to `removed`, which may be NULL. */
STACKAE_API stackae_status stackae_gallery_remove(stackae_gallery* gallery, const char* name, int64_t* removed,
                                                  char** message);
/* Sets the distance above which a picture is unknown, so that at most this share of strangers would be named; it stays
 * as it is when entries come or go. threads: 0: one a core. */
STACKAE_API stackae_status stackae_gallery_calibrate(stackae_gallery* gallery, double false_accept_rate, int threads,
                                                     char** message);
STACKAE_API int64_t stackae_gallery_size(const stackae_gallery* gallery);
STACKAE_API stackae_status stackae_gallery_describe(const stackae_gallery* gallery, char** json, char** message);
/* STACKAE_INVALID_ARGUMENT, with both identities, where another model made the codes. */
STACKAE_API stackae_status stackae_gallery_check_model(const stackae_gallery* gallery, const stackae_model* model,
                                                       char** message);
/* What makes codes as the gallery has them, by its model; refused as by stackae_gallery_check_model(). Options
 * "gallery_encoder". */
STACKAE_API stackae_status stackae_encoder_create_for_gallery(const stackae_model* model,
                                                              const stackae_gallery* gallery,
                                                              const char* const* options, stackae_encoder** encoder,
                                                              char** message);
/* An ONNX graph of distances to the nearest entry of each name. model: that made the codes. Options "onnx", but for output
 * and part. */
STACKAE_API stackae_status stackae_gallery_export_onnx(const stackae_gallery* gallery, const stackae_model* model,
                                                       const char* path, const char* const* options, char** message);
STACKAE_API void stackae_gallery_free(stackae_gallery* gallery);

/* Names codes by a gallery. One recognizer serves any number of threads. */
typedef struct stackae_recognizer stackae_recognizer;
typedef struct stackae_recognitions stackae_recognitions;

typedef struct stackae_candidate {
    const char* name;
    const char* path; /* of the nearest entry of that name */
    double distance;  /* to it */
} stackae_candidate;

typedef struct stackae_recognition {
    const char* name; /* "unknown" where it is not known */
    double distance;  /* to the nearest entry of the winner */
    int known;
    int64_t candidate_count;
    const stackae_candidate* candidates; /* the winner, then the nearest of other names */
} stackae_recognition;

/* Options "recognizer". */
STACKAE_API stackae_status stackae_recognizer_create(const stackae_gallery* gallery, const char* const* options,
                                                     stackae_recognizer** recognizer, char** message);
/* codes: n x d. */
STACKAE_API stackae_status stackae_recognizer_recognize(const stackae_recognizer* recognizer, const float* codes,
                                                        int64_t n, int64_t d, stackae_recognitions** recognitions,
                                                        char** message);
STACKAE_API void stackae_recognizer_free(stackae_recognizer* recognizer);
STACKAE_API int64_t stackae_recognitions_count(const stackae_recognitions* recognitions);
/* Of code i, or NULL where there is none; it is the recognitions' own, with all that it leads to. */
STACKAE_API const stackae_recognition* stackae_recognitions_at(const stackae_recognitions* recognitions, int64_t i);
STACKAE_API void stackae_recognitions_free(stackae_recognitions* recognitions);

/* Patch memories: what good pictures look like, to tell odd ones. */
typedef struct stackae_patch_memory stackae_patch_memory;

/* model: what makes the maps; NULL: one is learnt from the pictures. Options "patch_memory". */
STACKAE_API stackae_status stackae_patch_memory_learn(const stackae_pictures* good, const stackae_model* model,
                                                      const char* const* options, const stackae_observer* observer,
                                                      int64_t* skipped, stackae_patch_memory** memory, char** message);
STACKAE_API stackae_status stackae_patch_memory_load(const char* path, stackae_patch_memory** memory, char** message);
STACKAE_API stackae_status stackae_patch_memory_save(const stackae_patch_memory* memory, const char* path,
                                                     char** message);
STACKAE_API stackae_status stackae_patch_memory_describe(const stackae_patch_memory* memory, char** json,
                                                         char** message);
/* A score above which a picture is odd, so that at most this share of good ones is; `promised` (which may be NULL): the
 * share that as many good pictures as were seen can promise, with a confidence of 95 %. */
STACKAE_API stackae_status stackae_patch_memory_threshold(const stackae_patch_memory* memory, double false_alarm,
                                                          double* threshold, double* promised, char** message);
/* Pixels in which pictures are looked at. */
STACKAE_API void stackae_patch_memory_size(const stackae_patch_memory* memory, int64_t* height, int64_t* width);
STACKAE_API stackae_status stackae_patch_memory_export_onnx(const stackae_patch_memory* memory, const char* path,
                                                            const char* const* options, char** message);
STACKAE_API void stackae_patch_memory_free(stackae_patch_memory* memory);

/* Scores pictures by a patch memory. One scorer serves any number of threads. */
typedef struct stackae_scorer stackae_scorer;

/* Options "scorer". */
STACKAE_API stackae_status stackae_scorer_create(const stackae_patch_memory* memory, const char* const* options,
                                                 stackae_scorer** scorer, char** message);
/* scores: n, higher is odder. maps: n x height x width of stackae_patch_memory_size(), how odd each place is, or NULL.
 * Of a picture that cannot be used all are not a number. */
STACKAE_API stackae_status stackae_scorer_score(const stackae_scorer* scorer, const stackae_pictures* pictures,
                                                const stackae_observer* observer, float* scores, float* maps,
                                                int64_t* skipped, char** message);
STACKAE_API void stackae_scorer_free(stackae_scorer* scorer);

/* Ranks items for users by a model that was learnt from a table. One recommender serves any number of threads. */
typedef struct stackae_recommender stackae_recommender;
typedef struct stackae_recommendations stackae_recommendations;

typedef struct stackae_recommendation {
    const char* item;
    double score; /* higher is better */
} stackae_recommendation;

/* Options "recommender". */
STACKAE_API stackae_status stackae_recommender_create(const stackae_model* model, const char* const* options,
                                                      stackae_recommender** recommender, char** message);
/* For a user of the table, by the id. */
STACKAE_API stackae_status stackae_recommender_for_user(const stackae_recommender* recommender, const char* user,
                                                        stackae_recommendations** recommendations, char** message);
/* For whoever has these items. */
STACKAE_API stackae_status stackae_recommender_for_items(const stackae_recommender* recommender,
                                                         const char* const* items, int64_t n,
                                                         stackae_recommendations** recommendations, char** message);
/* Items like one, most alike first. */
STACKAE_API stackae_status stackae_recommender_similar_items(const stackae_recommender* recommender, const char* item,
                                                             int64_t top, stackae_recommendations** recommendations,
                                                             char** message);
STACKAE_API void stackae_recommender_free(stackae_recommender* recommender);
STACKAE_API int64_t stackae_recommendations_count(const stackae_recommendations* recommendations);
/* Item i, best first, or NULL where there is none; it is the recommendations' own. */
STACKAE_API const stackae_recommendation* stackae_recommendations_at(const stackae_recommendations* recommendations,
                                                                     int64_t i);
STACKAE_API void stackae_recommendations_free(stackae_recommendations* recommendations);

#ifdef __cplusplus
}
#endif

#endif
