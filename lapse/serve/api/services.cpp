#include <lapse/serve/api/services.hpp>

namespace lapse::serve::api {
namespace {

net::awaitable<void> answer(Services& services, http::Exchange& exchange, Work work) {
  http::Response response = co_await work(services, exchange);
  co_await exchange.respond(std::move(response));
}

}  // namespace

void add(http::Router& router, Services& services, std::string method, std::string pattern, Work work) {
  router.add(std::move(method), std::move(pattern),
             [&services, work](http::Exchange& exchange) { return answer(services, exchange, work); });
}

void add_of_model(http::Router& router, Services& services, std::string method, const std::string& suffix, Work work) {
  add(router, services, method, "/v2/models/{model}" + suffix, work);
  add(router, services, method, "/v2/models/{model}/versions/{version}" + suffix, work);
}

http::Response json(unsigned status, std::string body) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

void add_routes(http::Router& router, Services& services) {
  add_server(router, services);
  add_models(router, services);
  add_infer(router, services);
  add_jobs(router, services);
  add_results(router, services);
  add_events(router, services);
  add_session(router, services);
}

}  // namespace lapse::serve::api
