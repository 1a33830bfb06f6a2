/* Galleries, odd pictures and recommendations. */
#include "tests.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

static void a_gallery_names_codes(void) {
    /* Two names far apart, two entries each. */
    const float codes[] = {0.0F, 0.0F, 0.0F, 1.0F, 10.0F, 0.0F, 10.0F, 1.0F};
    const float asked[] = {0.0F, 0.4F, 10.0F, 0.6F, 500.0F, 500.0F};
    const char* const names[] = {"left", "left", "right", "right"};
    const char* const paths[] = {"a.png", "b.png", "c.png", "d.png"};
    stackae_gallery *gallery = NULL, *again = NULL;
    stackae_recognizer* recognizer = NULL;
    stackae_recognitions* found = NULL;
    const stackae_recognition* one;
    char* json = NULL;
    int64_t removed = 0;
    OK(stackae_gallery_create(NULL, NULL, &gallery, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "gallery", stackae_recognizer_create(gallery, NULL, &recognizer, &message));
    OK(stackae_gallery_add(gallery, codes, 4, 2, names, paths, &message));
    OK(stackae_gallery_calibrate(gallery, 0.2, 1, &message));
    OK(stackae_gallery_save(gallery, written("sides.gallery"), &message));
    OK(stackae_gallery_load(written("sides.gallery"), &again, &message));
    CHECK(stackae_gallery_size(again) == 4);
    OK(stackae_gallery_describe(again, &json, &message));
    CHECK(strstr(json, "\"left\"") != NULL);
    stackae_string_free(json);

    OK(stackae_recognizer_create(again, (const char*[]){"top=2", "k=1", NULL}, &recognizer, &message));
    stackae_gallery_free(again); /* the recognizer has what it needs */
    OK(stackae_recognizer_recognize(recognizer, asked, 3, 2, &found, &message));
    CHECK(stackae_recognitions_count(found) == 3);
    one = stackae_recognitions_at(found, 0);
    CHECK(one->known && strcmp(one->name, "left") == 0 && fabs(one->distance - 0.4) < 1e-5);
    CHECK(one->candidate_count == 2 && strcmp(one->candidates[0].path, "a.png") == 0);
    CHECK(strcmp(one->candidates[1].name, "right") == 0 && one->candidates[1].distance > 9.0);
    one = stackae_recognitions_at(found, 1);
    CHECK(one->known && strcmp(one->name, "right") == 0 && strcmp(one->candidates[0].path, "d.png") == 0);
    one = stackae_recognitions_at(found, 2);
    CHECK(!one->known && strcmp(one->name, "unknown") == 0);
    CHECK(stackae_recognitions_at(found, 3) == NULL && stackae_recognitions_at(found, -1) == NULL);
    stackae_recognitions_free(found);
    FAILS(STACKAE_INVALID_ARGUMENT, "3", stackae_recognizer_recognize(recognizer, asked, 1, 3, &found, &message));
    stackae_recognizer_free(recognizer);

    /* An entry of the same path takes another's place; those without one are numbered on, whatever went. */
    OK(stackae_gallery_add(gallery, asked, 1, 2, names, paths, &message));
    CHECK(stackae_gallery_size(gallery) == 4);
    OK(stackae_gallery_add(gallery, asked, 2, 2, names, NULL, &message));
    OK(stackae_gallery_remove(gallery, "right", &removed, &message));
    CHECK(removed == 2 && stackae_gallery_size(gallery) == 4);
    OK(stackae_gallery_add(gallery, asked, 2, 2, names + 2, NULL, &message));
    CHECK(stackae_gallery_size(gallery) == 6);
    OK(stackae_gallery_remove(gallery, "left", &removed, &message));
    OK(stackae_gallery_save(gallery, written("two.gallery"), &message));
    stackae_gallery_free(gallery);
    OK(stackae_gallery_load(written("two.gallery"), &gallery, &message));
    OK(stackae_gallery_add(gallery, codes, 2, 2, names, NULL, &message));
    CHECK(stackae_gallery_size(gallery) == 4);
    FAILS(STACKAE_INVALID_ARGUMENT, "a name: NULL found",
          stackae_gallery_add(gallery, codes, 1, 2, (const char*[]){NULL}, NULL, &message));
    stackae_gallery_free(gallery);
}

static void galleries_know_their_model(void) {
    stackae_model* const one = train_on_rings(60, 8);
    stackae_model* const other = train_on_rings(80, 8);
    stackae_gallery* gallery = NULL;
    stackae_encoder* encoder = NULL;
    const float codes[6] = {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F};
    const char* const names[] = {"a", "b", "c"};
    OK(stackae_gallery_create(one, (const char*[]){"metric=cosine", NULL}, &gallery, &message));
    OK(stackae_gallery_check_model(gallery, one, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "model", stackae_gallery_check_model(gallery, other, &message));
    stackae_gallery_free(gallery);
    OK(stackae_gallery_create(one, (const char*[]){"output=1", "metric=cosine", NULL}, &gallery, &message));
    OK(stackae_encoder_create_for_gallery(one, gallery, NULL, &encoder, &message));
    CHECK(stackae_encoder_code_size(encoder) == 12); /* of the first layer */
    FAILS(STACKAE_INVALID_ARGUMENT, "model",
          stackae_encoder_create_for_gallery(other, gallery, NULL, &encoder, &message));
    stackae_encoder_free(encoder);
    FAILS(STACKAE_INVALID_ARGUMENT, "cosine",
          stackae_gallery_create(one, (const char*[]){"metric=taxi", NULL}, &gallery, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "\"output\" found",
          stackae_encoder_create_for_gallery(one, gallery, (const char*[]){"output=1", NULL}, &encoder, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "empty gallery",
          stackae_gallery_export_onnx(gallery, one, written("names.onnx"), NULL, &message));
    stackae_gallery_free(gallery);
    /* Codes of another width than the model's, a path that looks like the greatest number, an output of no model. */
    OK(stackae_gallery_create(one, NULL, &gallery, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "codes of 2 values found, 6 expected",
          stackae_gallery_add(gallery, codes, 3, 2, names, NULL, &message));
    OK(stackae_gallery_add(gallery, codes, 1, 6, names, (const char*[]){"row 9223372036854775806"}, &message));
    OK(stackae_gallery_add(gallery, codes, 1, 6, names, NULL, &message));
    OK(stackae_gallery_add(gallery, codes, 1, 6, names, NULL, &message));
    CHECK(stackae_gallery_size(gallery) == 3);
    OK(stackae_gallery_export_onnx(gallery, one, written("names.onnx"), NULL, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "model",
          stackae_gallery_export_onnx(gallery, other, written("names.onnx"), NULL, &message));
    stackae_gallery_free(gallery);
    FAILS(STACKAE_INVALID_ARGUMENT, "none expected without a model",
          stackae_gallery_create(NULL, (const char*[]){"output=1", NULL}, &gallery, &message));
    stackae_model_free(one);
    stackae_model_free(other);
}

static void odd_pictures_are_told(void) {
    enum { side = 48, good = 12 };
    float* const values = draw_rings(good + 1, side);
    float scores[good + 1], again[good + 1];
    float* const maps = malloc((good + 1) * side * side * sizeof(float));
    stackae_pictures *pictures = NULL, *all = NULL;
    stackae_patch_memory *memory = NULL, *loaded = NULL;
    stackae_scorer* scorer = NULL;
    double threshold = 0.0, promised = 0.0;
    int64_t height = 0, width = 0, skipped = -1, x, y;
    float most = -INFINITY;
    int64_t at = 0;
    char* json = NULL;
    CHECK(maps != NULL);
    for (y = 20; y < 28; ++y) { /* a mark that no other has */
        for (x = 4; x < 12; ++x) {
            values[(good * side + y) * side + x] = (float)((x + y) % 2);
        }
    }
    OK(stackae_pictures_from_floats(values, good, side, side, 1, &pictures, &message));
    OK(stackae_pictures_from_floats(values, good + 1, side, side, 1, &all, &message));
    OK(stackae_patch_memory_learn(pictures, NULL, (const char*[]){"method=memory", "threads=1", NULL}, NULL, &skipped,
                                  &memory, &message));
    CHECK(skipped == 0);
    OK(stackae_patch_memory_save(memory, written("rings.memory"), &message));
    OK(stackae_patch_memory_load(written("rings.memory"), &loaded, &message));
    OK(stackae_patch_memory_threshold(loaded, 0.01, &threshold, &promised, &message));
    CHECK(promised > 0.01); /* twelve promise no more */
    stackae_patch_memory_size(loaded, &height, &width);
    CHECK(height == side && width == side);
    OK(stackae_patch_memory_describe(loaded, &json, &message));
    CHECK(strstr(json, "\"pictures\":12") != NULL);
    stackae_string_free(json);
    OK(stackae_scorer_create(loaded, NULL, &scorer, &message));
    stackae_patch_memory_free(loaded);
    OK(stackae_scorer_score(scorer, all, NULL, scores, maps, &skipped, &message));
    CHECK(scores[good] > threshold);
    for (x = 0; x < good; ++x) {
        CHECK(scores[x] < scores[good]);
    }
    for (x = 0; x < side * side; ++x) {
        if (maps[good * side * side + x] > most) {
            most = maps[good * side * side + x];
            at = x;
        }
    }
    CHECK(at / side >= 14 && at / side < 34 && at % side < 18);
    OK(stackae_scorer_score(scorer, all, NULL, again, NULL, NULL, &message));
    CHECK(memcmp(scores, again, sizeof scores) == 0);
    OK(stackae_patch_memory_export_onnx(memory, written("rings_map.onnx"), NULL, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "method",
          stackae_patch_memory_learn(pictures, NULL, (const char*[]){"methods=memory", NULL}, NULL, NULL, &loaded,
                                     &message));
    stackae_scorer_free(scorer);
    stackae_patch_memory_free(memory);
    stackae_pictures_free(pictures);
    stackae_pictures_free(all);
    free(maps);
    free(values);
}

static void items_are_recommended(void) {
    /* Whoever has one of a pair has the other, but for the last two users. */
    enum { users = 42, items = 6 };
    char user_ids[users][8], item_ids[items][8];
    const char *user_names[users], *item_names[items];
    int64_t of_users[2 * users + 1], of_items[2 * users + 1], n = 0, i;
    stackae_table* table = NULL;
    stackae_model* model = NULL;
    stackae_recommender* recommender = NULL;
    stackae_recommendations* found = NULL;
    for (i = 0; i < users; ++i) {
        snprintf(user_ids[i], sizeof user_ids[i], "u%d", (int)i);
        user_names[i] = user_ids[i];
        of_users[n] = i;
        of_items[n++] = 2 * (i % 3);
        if (i < users - 2) {
            of_users[n] = i;
            of_items[n++] = 2 * (i % 3) + 1;
        }
    }
    for (i = 0; i < items; ++i) {
        snprintf(item_ids[i], sizeof item_ids[i], "i%d", (int)i);
        item_names[i] = item_ids[i];
    }
    of_users[n] = 0; /* again */
    of_items[n++] = 0;
    OK(stackae_table_from_entries(user_names, users, item_names, items, of_users, of_items, NULL, n, NULL, &table,
                                  &message));
    CHECK(stackae_table_user_count(table) == users && stackae_table_item_count(table) == items);
    OK(stackae_model_train_table(table, (const char*[]){"stack=edlae", NULL}, NULL, &model, &message));
    stackae_table_free(table);
    OK(stackae_recommender_create(model, (const char*[]){"top=2", NULL}, &recommender, &message));
    stackae_model_free(model);
    OK(stackae_recommender_for_user(recommender, "u41", &found, &message)); /* has item 2 x (41 % 3) = 4 alone */
    CHECK(stackae_recommendations_count(found) == 2);
    CHECK(strcmp(stackae_recommendations_at(found, 0)->item, "i5") == 0);
    CHECK(stackae_recommendations_at(found, 0)->score > stackae_recommendations_at(found, 1)->score);
    CHECK(stackae_recommendations_at(found, 2) == NULL);
    stackae_recommendations_free(found);
    OK(stackae_recommender_for_items(recommender, (const char*[]){"i2"}, 1, &found, &message));
    CHECK(strcmp(stackae_recommendations_at(found, 0)->item, "i3") == 0);
    stackae_recommendations_free(found);
    OK(stackae_recommender_similar_items(recommender, "i0", 1, &found, &message));
    CHECK(stackae_recommendations_count(found) == 1);
    CHECK(strcmp(stackae_recommendations_at(found, 0)->item, "i1") == 0);
    stackae_recommendations_free(found);
    FAILS(STACKAE_INVALID_ARGUMENT, "nobody", stackae_recommender_for_user(recommender, "nobody", &found, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "i9",
          stackae_recommender_for_items(recommender, (const char*[]){"i9"}, 1, &found, &message));
    stackae_recommender_free(recommender);

    of_items[0] = items;
    FAILS(STACKAE_INVALID_ARGUMENT, "the item 6 found",
          stackae_table_from_entries(user_names, users, item_names, items, of_users, of_items, NULL, n, NULL, &table,
                                     &message));
    item_names[1] = item_names[0];
    of_items[0] = 0;
    FAILS(STACKAE_INVALID_ARGUMENT, "item 1: the same id",
          stackae_table_from_entries(user_names, users, item_names, items, of_users, of_items, NULL, n, NULL, &table,
                                     &message));
}

static int questions = 0;

static int stop_after(void* context) {
    return ++questions > *(const int*)context;
}

static void whatever_is_stopped_says_so(void) {
    enum { users = 60, items = 20, side = 24, good = 6 };
    char ids[users][8];
    const char* names[users];
    int64_t of_users[users * 4], of_items[users * 4];
    float* const values = draw_rings(good, side);
    float codes[good * 6], scores[good];
    int after = 0, i;
    stackae_observer observer = {NULL, NULL, stop_after};
    stackae_table* table = NULL;
    stackae_pictures* pictures = NULL;
    stackae_patch_memory *memory = NULL, *stopped = NULL;
    stackae_scorer* scorer = NULL;
    stackae_encoder* encoder = NULL;
    stackae_model* const rings = train_on_rings(60, side);
    observer.context = &after;
    for (i = 0; i < users; ++i) {
        int k;
        snprintf(ids[i], sizeof ids[i], "%d", i);
        names[i] = ids[i];
        for (k = 0; k < 4; ++k) {
            of_users[4 * i + k] = i;
            of_items[4 * i + k] = (i * 3 + k * 7) % items;
        }
    }
    OK(stackae_table_from_entries(names, users, names, items, of_users, of_items, NULL, (int64_t)users * 4, NULL, &table,
                                  &message));
    for (after = 0; after < 4; ++after) { /* while settings are tried */
        stackae_model* model = rings;
        questions = 0;
        FAILS(STACKAE_STOPPED, "stop",
              stackae_model_train_table(table, (const char*[]){"threads=1", NULL}, &observer, &model, &message));
        CHECK(model != rings);
        stackae_model_free(model);
    }
    OK(stackae_pictures_from_floats(values, good, side, side, 1, &pictures, &message));
    OK(stackae_patch_memory_learn(pictures, NULL, (const char*[]){"method=memory", NULL}, NULL, NULL, &memory, &message));
    OK(stackae_scorer_create(memory, NULL, &scorer, &message));
    OK(stackae_encoder_create(rings, NULL, &encoder, &message));
    after = 0;
    questions = 0;
    FAILS(STACKAE_STOPPED, "stop",
          stackae_patch_memory_learn(pictures, NULL, NULL, &observer, NULL, &stopped, &message));
    CHECK(stopped == NULL);
    questions = 0;
    FAILS(STACKAE_STOPPED, "stop", stackae_scorer_score(scorer, pictures, &observer, scores, NULL, NULL, &message));
    questions = 0;
    FAILS(STACKAE_STOPPED, "stop", stackae_encoder_encode(encoder, pictures, &observer, codes, NULL, &message));
    after = 1000;
    questions = 0;
    OK(stackae_encoder_encode(encoder, pictures, &observer, codes, NULL, &message));
    stackae_encoder_free(encoder);
    stackae_scorer_free(scorer);
    stackae_patch_memory_free(memory);
    stackae_pictures_free(pictures);
    stackae_table_free(table);
    stackae_model_free(rings);
    free(values);
}

static void tables_are_read_from_files(void) {
    stackae_table* table = NULL;
    stackae_model* model = train_on_rings(60, 8);
    stackae_recommender* recommender = NULL;
    write_text(written("shop.csv"), "user,item,rating\na,x,5\na,y,1\nb,x,4\n");
    OK(stackae_table_open(written("shop.csv"), (const char*[]){"value=raw", NULL}, &table, &message));
    CHECK(stackae_table_user_count(table) == 2 && stackae_table_item_count(table) == 2);
    stackae_table_free(table);
    FAILS(STACKAE_IO_ERROR, "none.csv", stackae_table_open(written("none.csv"), NULL, &table, &message));
    FAILS(STACKAE_INVALID_ARGUMENT, "table", stackae_recommender_create(model, NULL, &recommender, &message));
    stackae_model_free(model);
}

static volatile sig_atomic_t signals = 0;

static void on_signal(int signal) {
    char stack[4096]; /* a frame of some size */
    memset(stack, signal, sizeof stack);
    signals += stack[17] == signal;
}

static void signals_of_the_program_do_not_disturb(void) {
    struct sigaction action;
    struct itimerval often = {{0, 500}, {0, 500}};
    struct itimerval never = {{0, 0}, {0, 0}};
    stackae_model* const quiet = train_on_rings(150, 12);
    stackae_model* disturbed = NULL;
    char *identity = NULL, *other = NULL;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    disturbed = train_on_rings(150, 12);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(signals > 0);
    OK(stackae_model_identity(quiet, &identity, &message));
    OK(stackae_model_identity(disturbed, &other, &message));
    CHECK(strcmp(identity, other) == 0);
    stackae_string_free(identity);
    stackae_string_free(other);
    stackae_model_free(quiet);
    stackae_model_free(disturbed);
}

const test using_tests[] = {
    {"A gallery names codes", a_gallery_names_codes},
    {"Galleries know their model", galleries_know_their_model},
    {"Odd pictures are told, and where", odd_pictures_are_told},
    {"Items are recommended to users and for baskets", items_are_recommended},
    {"Whatever is stopped says so", whatever_is_stopped_says_so},
    {"Tables are read from files", tables_are_read_from_files},
    {"Signals of the program do not disturb", signals_of_the_program_do_not_disturb},
    {NULL, NULL},
};
