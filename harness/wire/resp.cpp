#include "harness/wire/resp.hpp"
