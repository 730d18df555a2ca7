#include "jobs/stores.hpp"
