#include "harness/wire/errors.hpp"
