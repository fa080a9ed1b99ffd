#include "http/core/framing.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace tunic::http;
using kind = framing::kind;
using field_list = std::vector<std::pair<std::string, std::string>>;

namespace {

fields make(const field_list& list) {
  fields out;
  for (const auto& [name, value] : list) out.add(name, value);
  return out;
}

std::string told(const std::variant<framing, problem>& decided) {
  if (const auto* wrong = std::get_if<problem>(&decided)) return std::to_string(number(wrong->status));
  const auto& by = std::get<framing>(decided);
  switch (by.by) {
    case kind::none: return "none";
    case kind::length: return "length " + std::to_string(by.length);
    case kind::chunked: return "chunked";
    case kind::until_close: return "until close";
  }
  return "";
}

std::string of_request(const field_list& list, protocol_version version = protocol_version::http_1_1) {
  return told(frame_request({"POST", "/", version, make(list)}));
}

std::string of_response(unsigned status, const field_list& list, std::string_view method = "GET") {
  return told(frame_response({static_cast<status_code>(status), "", protocol_version::http_1_1, make(list)}, method));
}

}  // namespace

TEST_CASE("how long a request is (RFC 9112 §6.3)") {
  CHECK(of_request({}) == "none");
  CHECK(of_request({{"Content-Length", "0"}}) == "none");
  CHECK(of_request({{"Content-Length", "5"}}) == "length 5");
  CHECK(of_request({{"Transfer-Encoding", "chunked"}}) == "chunked");
  CHECK(of_request({{"Transfer-Encoding", "CHUNKED"}}) == "chunked");
  CHECK(of_request({{"Content-Length", "5"}, {"Content-Length", "6"}}) == "400");
  CHECK(of_request({{"Content-Length", "5"}, {"Content-Length", "5"}}) == "400");
  CHECK(of_request({{"Content-Length", "5, 5"}}) == "400");
  CHECK(of_request({{"Content-Length", "five"}}) == "400");
  CHECK(of_request({{"Content-Length", ""}}) == "400");
  CHECK(of_request({{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked"}}, protocol_version::http_1_0) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked, gzip"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked, chunked"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked,"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", ""}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "chunked;q=1"}}) == "400");
  CHECK(of_request({{"Transfer-Encoding", "gzip"}}) == "501");
  CHECK(of_request({{"Transfer-Encoding", "xchunked"}}) == "501");
  CHECK(of_request({{"Transfer-Encoding", "gzip, chunked"}}) == "501");
}

TEST_CASE("how long a response is (RFC 9112 §6.3)") {
  CHECK(of_response(200, {}) == "until close");
  CHECK(of_response(200, {{"Content-Length", "5"}}) == "length 5");
  CHECK(of_response(200, {{"Transfer-Encoding", "chunked"}}) == "chunked");
  for (const unsigned status : {100U, 103U, 204U, 304U})
    CHECK(of_response(status, {{"Content-Length", "5"}}) == "none");
  CHECK(of_response(200, {{"Content-Length", "5"}}, "HEAD") == "none");
  CHECK(of_response(200, {{"Transfer-Encoding", "chunked"}}, "HEAD") == "none");
  CHECK(of_response(200, {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}) == "400");
  CHECK(of_response(200, {{"Content-Length", "x"}}) == "400");
}
