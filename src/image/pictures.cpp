#include "stackae/pictures.hpp"
