#pragma once

#include <ctime>
#include <string>

#include "http/server/options.hpp"

namespace tunic::http {

// A line for a log, without its end. What a client sent is escaped, so that it can neither end the line nor begin
// another.

// Apache's and nginx's "combined": peer - - [28/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 2 "referer" "user agent"
std::string combined_line(const answered& what, std::time_t now);

// An object with time (ISO 8601), peer, method, target, version, host, status, octets, seconds, whole, referer, agent.
std::string json_line(const answered& what, std::time_t now);

}  // namespace tunic::http
