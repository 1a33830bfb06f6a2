#include "core/safetensors.hpp"
