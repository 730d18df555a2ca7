#include <lapse/serve/access/gate.hpp>
#include <lapse/serve/dispatch/dispatcher.hpp>
#include <lapse/serve/front/front.hpp>
#include <lapse/serve/worker/wire.hpp>
#include <lapse/serve/worker/worker.hpp>
