#include "stackae/model.hpp"
