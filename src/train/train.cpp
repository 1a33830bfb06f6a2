#include "stackae/train.hpp"
