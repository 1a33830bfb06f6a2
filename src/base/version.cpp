#include "stackae/resources.hpp"

const char* stackae::version() {
    return STACKAE_VERSION;
}
