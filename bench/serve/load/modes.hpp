#pragma once
// What the load client can do, and what each is told.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "body.hpp"
#include "connection.hpp"

namespace load {

struct Target {
  Address address;
  std::string method = "PUT";
  std::string path = "/v2/jobs/{id}?model=model";  // {id}: the request's own
  std::string headers;                             // more of them, each ended by CR LF
  std::string prefix = "job";                      // of ids
  std::uint64_t seed = 1;                          // another seed, other bodies
  std::string input = "x", shape = "1,65536";      // of the one tensor that is sent

  std::string id(std::uint64_t number) const { return prefix + "-" + std::to_string(number); }
  /// Head of request `number`, ready to send before its body's parts.
  std::string head(const Connection& connection, std::uint64_t number, const Bodies::Body& body) const;
};

struct Submit {
  int clients = 8;
  std::uint64_t count = 0;  // 0: until `seconds` are over
  double seconds = 10;
  unsigned accepted = 202;
  std::string health;                            // path asked every health_every on a connection and thread of its own; empty: not
  double health_every = 0.010;                   // seconds
  std::string samples, health_samples, answers;  // files
};
/// Closed loop: each client sends its next request when the last one was answered.
nlohmann::ordered_json submit(const Target& target, const Submit& how);

struct Through {
  int outstanding = 32;
  double rate = 0;  // submissions a second, evenly; 0: as fast as they go
  double warmup = 2, seconds = 10;
  bool fetch = true;  // the result is part of the path
  std::string samples;
};
/// Submits jobs and waits for their ends by server-sent events, never more than `outstanding` at a time.
nlohmann::ordered_json through(const Target& target, const Through& how);

struct Hold {
  int streams = 5000, owners = 5000, idle = 2000;
  double seconds = 60;
  double jobs = 20;      // a second, each by the next owner in turn
  double patience = 60;  // seconds, for what must open and for the last ends
  int process = 0;       // of the server's front, whose memory is looked at
};
/// Opens streams and idle connections, keeps them, and lets jobs flow meanwhile.
nlohmann::ordered_json hold(const Target& target, const Hold& how);

}  // namespace load
