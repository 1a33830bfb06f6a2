/* Every function, with the types that it was released with: where include/stackae/stackae.h says other ones, this does
 * not compile. Functions are added here when they are released, and never changed. The values of statuses and events
 * and the places of members are as binding. */
#include <stackae/stackae.h>

#include <stddef.h>

const char* stackae_version(void);
void stackae_string_free(char* text);
stackae_status stackae_describe_options(const char* of, char** json, char** message);
stackae_status stackae_pictures_open(const char* path, stackae_pictures** pictures, char** message);
stackae_status stackae_pictures_from_files(const char* const* paths, int64_t n, stackae_pictures** pictures, char** message);
stackae_status stackae_pictures_from_bytes(const uint8_t* values, int64_t n, int64_t height, int64_t width, int64_t channels, stackae_pictures** pictures, char** message);
stackae_status stackae_pictures_from_floats(const float* values, int64_t n, int64_t height, int64_t width, int64_t channels, stackae_pictures** pictures, char** message);
stackae_status stackae_pictures_from_rows(const float* values, int64_t n, int64_t d, stackae_pictures** pictures, char** message);
int64_t stackae_pictures_count(const stackae_pictures* pictures);
char* stackae_pictures_path(const stackae_pictures* pictures, int64_t i);
char* stackae_pictures_label(const stackae_pictures* pictures, int64_t i);
void stackae_pictures_free(stackae_pictures* pictures);
stackae_status stackae_table_open(const char* path, const char* const* options, stackae_table** table, char** message);
stackae_status stackae_table_from_entries(const char* const* users, int64_t user_count, const char* const* items, int64_t item_count, const int64_t* of_users, const int64_t* of_items, const float* values, int64_t n, const char* const* options, stackae_table** table, char** message);
int64_t stackae_table_user_count(const stackae_table* table);
int64_t stackae_table_item_count(const stackae_table* table);
void stackae_table_free(stackae_table* table);
stackae_status stackae_model_load(const char* path, stackae_model** model, char** message);
stackae_status stackae_model_save(const stackae_model* model, const char* path, char** message);
stackae_status stackae_model_train(const stackae_pictures* pictures, const char* const* options, const stackae_observer* observer, stackae_model** model, char** message);
stackae_status stackae_model_train_table(const stackae_table* table, const char* const* options, const stackae_observer* observer, stackae_model** model, char** message);
stackae_status stackae_model_fine_tune(const stackae_model* model, const stackae_pictures* pictures, const char* const* options, const stackae_observer* observer, stackae_model** tuned, char** message);
stackae_status stackae_model_describe(const stackae_model* model, char** json, char** message);
stackae_status stackae_model_identity(const stackae_model* model, char** identity, char** message);
void stackae_model_input_shape(const stackae_model* model, int64_t* height, int64_t* width, int64_t* channels);
stackae_status stackae_model_export_onnx(const stackae_model* model, const char* path, const char* const* options, char** message);
void stackae_model_free(stackae_model* model);
stackae_status stackae_encoder_create(const stackae_model* model, const char* const* options, stackae_encoder** encoder, char** message);
int64_t stackae_encoder_code_size(const stackae_encoder* encoder);
int64_t stackae_encoder_input_size(const stackae_encoder* encoder);
stackae_status stackae_encoder_encode(const stackae_encoder* encoder, const stackae_pictures* pictures, const stackae_observer* observer, float* codes, int64_t* skipped, char** message);
stackae_status stackae_encoder_prepare(const stackae_encoder* encoder, const stackae_pictures* pictures, const stackae_observer* observer, float* rows, int64_t* skipped, char** message);
stackae_status stackae_encoder_encode_rows(const stackae_encoder* encoder, const float* rows, int64_t n, float* codes, char** message);
stackae_status stackae_encoder_decode(const stackae_encoder* encoder, const float* codes, int64_t n, float* rows, char** message);
stackae_status stackae_encoder_reconstruct(const stackae_encoder* encoder, const float* rows, int64_t n, float* rebuilt, char** message);
void stackae_encoder_free(stackae_encoder* encoder);
stackae_status stackae_gallery_create(const stackae_model* model, const char* const* options, stackae_gallery** gallery, char** message);
stackae_status stackae_gallery_load(const char* path, stackae_gallery** gallery, char** message);
stackae_status stackae_gallery_save(const stackae_gallery* gallery, const char* path, char** message);
stackae_status stackae_gallery_add(stackae_gallery* gallery, const float* codes, int64_t n, int64_t d, const char* const* names, const char* const* paths, char** message);
stackae_status stackae_gallery_remove(stackae_gallery* gallery, const char* name, int64_t* removed, char** message);
stackae_status stackae_gallery_calibrate(stackae_gallery* gallery, double false_accept_rate, int threads, char** message);
int64_t stackae_gallery_size(const stackae_gallery* gallery);
stackae_status stackae_gallery_describe(const stackae_gallery* gallery, char** json, char** message);
stackae_status stackae_gallery_check_model(const stackae_gallery* gallery, const stackae_model* model, char** message);
stackae_status stackae_encoder_create_for_gallery(const stackae_model* model, const stackae_gallery* gallery, const char* const* options, stackae_encoder** encoder, char** message);
stackae_status stackae_gallery_export_onnx(const stackae_gallery* gallery, const stackae_model* model, const char* path, const char* const* options, char** message);
void stackae_gallery_free(stackae_gallery* gallery);
stackae_status stackae_recognizer_create(const stackae_gallery* gallery, const char* const* options, stackae_recognizer** recognizer, char** message);
stackae_status stackae_recognizer_recognize(const stackae_recognizer* recognizer, const float* codes, int64_t n, int64_t d, stackae_recognitions** recognitions, char** message);
void stackae_recognizer_free(stackae_recognizer* recognizer);
int64_t stackae_recognitions_count(const stackae_recognitions* recognitions);
const stackae_recognition* stackae_recognitions_at(const stackae_recognitions* recognitions, int64_t i);
void stackae_recognitions_free(stackae_recognitions* recognitions);
stackae_status stackae_patch_memory_learn(const stackae_pictures* good, const stackae_model* model, const char* const* options, const stackae_observer* observer, int64_t* skipped, stackae_patch_memory** memory, char** message);
stackae_status stackae_patch_memory_load(const char* path, stackae_patch_memory** memory, char** message);
stackae_status stackae_patch_memory_save(const stackae_patch_memory* memory, const char* path, char** message);
stackae_status stackae_patch_memory_describe(const stackae_patch_memory* memory, char** json, char** message);
stackae_status stackae_patch_memory_threshold(const stackae_patch_memory* memory, double false_alarm, double* threshold, double* promised, char** message);
void stackae_patch_memory_size(const stackae_patch_memory* memory, int64_t* height, int64_t* width);
stackae_status stackae_patch_memory_export_onnx(const stackae_patch_memory* memory, const char* path, const char* const* options, char** message);
void stackae_patch_memory_free(stackae_patch_memory* memory);
stackae_status stackae_scorer_create(const stackae_patch_memory* memory, const char* const* options, stackae_scorer** scorer, char** message);
stackae_status stackae_scorer_score(const stackae_scorer* scorer, const stackae_pictures* pictures, const stackae_observer* observer, float* scores, float* maps, int64_t* skipped, char** message);
void stackae_scorer_free(stackae_scorer* scorer);
stackae_status stackae_recommender_create(const stackae_model* model, const char* const* options, stackae_recommender** recommender, char** message);
stackae_status stackae_recommender_for_user(const stackae_recommender* recommender, const char* user, stackae_recommendations** recommendations, char** message);
stackae_status stackae_recommender_for_items(const stackae_recommender* recommender, const char* const* items, int64_t n, stackae_recommendations** recommendations, char** message);
stackae_status stackae_recommender_similar_items(const stackae_recommender* recommender, const char* item, int64_t top, stackae_recommendations** recommendations, char** message);
void stackae_recommender_free(stackae_recommender* recommender);
int64_t stackae_recommendations_count(const stackae_recommendations* recommendations);
const stackae_recommendation* stackae_recommendations_at(const stackae_recommendations* recommendations, int64_t i);
void stackae_recommendations_free(stackae_recommendations* recommendations);

#define HOLDS(name, condition) typedef char name[(condition) ? 1 : -1]

HOLDS(statuses, STACKAE_OK == 0 && STACKAE_INVALID_ARGUMENT == 1 && STACKAE_IO_ERROR == 2 && STACKAE_CORRUPT_FILE == 3 &&
                    STACKAE_BACKEND_ERROR == 4 && STACKAE_DIVERGENCE == 5 && STACKAE_NOT_FINITE == 6 &&
                    STACKAE_OUT_OF_MEMORY == 7 && STACKAE_STOPPED == 8 && STACKAE_FAILED == 9);
HOLDS(events, STACKAE_EVENT_SKIPPED == 0 && STACKAE_EVENT_REMARK == 1 && STACKAE_EVENT_PROGRESS == 2 &&
                  STACKAE_EVENT_STAGE == 3 && STACKAE_EVENT_EPOCH == 4 && STACKAE_EVENT_RESUMED == 5);
HOLDS(observer, offsetof(stackae_observer, context) == 0 &&
                    offsetof(stackae_observer, on_event) == sizeof(void*) &&
                    offsetof(stackae_observer, stop) == 2 * sizeof(void*) &&
                    sizeof(stackae_observer) == 3 * sizeof(void*));
HOLDS(candidate, offsetof(stackae_candidate, path) == sizeof(void*) &&
                     offsetof(stackae_candidate, distance) == 2 * sizeof(void*) &&
                     sizeof(stackae_candidate) == 2 * sizeof(void*) + sizeof(double));
HOLDS(recognition, offsetof(stackae_recognition, distance) == 8 && offsetof(stackae_recognition, known) == 16 &&
                       offsetof(stackae_recognition, candidate_count) == 24 &&
                       offsetof(stackae_recognition, candidates) == 32);
HOLDS(recommendation, offsetof(stackae_recommendation, item) == 0 && offsetof(stackae_recommendation, score) == 8);
