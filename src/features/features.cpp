#include "stackae/features.hpp"
