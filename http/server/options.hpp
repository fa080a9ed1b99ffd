#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "http/core/limits.hpp"
#include "http/server/request.hpp"

namespace tunic::http {

// A request and how it was answered, for a log. Views last as long as the call.
struct answered {
  const request& in;  // of one that was refused: what there was of it; method and target may be empty
  const response_head& head;
  std::uint64_t content = 0;                   // octets of the response's content that were sent, without their framing
  bool whole = false;                          // all of them; else the client went, or the content broke off
  std::chrono::steady_clock::duration took{};  // from the end of the request's head to the end of the response
};

struct server_options {
  limits bounds;
  std::chrono::milliseconds head_timeout{10'000};     // from the first octet of a request to the end of its head; 408
  std::chrono::milliseconds idle_timeout{75'000};     // between requests
  std::chrono::milliseconds content_timeout{30'000};  // for the next octets of a request's content; 408
  std::chrono::milliseconds send_timeout{60'000};     // for a peer that takes nothing of a response
  std::chrono::milliseconds linger_timeout{2'000};    // for a peer to close after we did
  // Octets a second, on average, that a peer must send of a content and take of a response where that waits for it;
  // below it the two timeouts above run out. 0: one octet is as good as many.
  std::uint64_t least_rate = 0;
  std::size_t connections_of_a_client = 0;  // at once from one address; more are answered 503. 0: any number
  bool trace = false;                       // TRACE (RFC 9110 §9.3.8) is answered; else 501
  std::function<void(const answered&)> on_answered;
};

}  // namespace tunic::http
