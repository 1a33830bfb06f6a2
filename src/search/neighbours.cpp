#include "stackae/neighbours.hpp"
