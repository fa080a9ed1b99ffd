#include "http/core/negotiation.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace tunic::http;

namespace {

using texts = std::vector<std::string_view>;

template <class Preferred>
std::string_view chosen(Preferred preferred, std::string_view name, const texts& values, const texts& offers) {
  fields header;
  for (const auto value : values) header.add(name, value);
  const auto index = preferred(header, offers);
  return index ? offers[*index] : "none";
}

std::string_view type(const texts& accept, const texts& offers) {
  return chosen(preferred_type, "Accept", accept, offers);
}
std::string_view coding(const texts& accept, const texts& offers = {"zstd", "br", "gzip", "identity"}) {
  return chosen(preferred_coding, "Accept-Encoding", accept, offers);
}

}  // namespace

TEST_CASE("a weight has up to three decimals (RFC 9110 §12.4.2)") {
  CHECK(parse_weight("1") == 1000);
  CHECK(parse_weight("1.000") == 1000);
  CHECK(parse_weight("0") == 0);
  CHECK(parse_weight("0.") == 0);
  CHECK(parse_weight("0.5") == 500);
  CHECK(parse_weight("0.123") == 123);
  for (const auto bad : {"", ".5", "1.001", "2", "0.1234", "-0", "0,5", "01", "0.5 ", "1e0"})
    CHECK_FALSE(parse_weight(bad));
}

TEST_CASE("the media type that Accept likes best (RFC 9110 §12.5.1)") {
  const texts both{"text/html", "application/json"};
  CHECK(type({}, both) == "text/html");
  CHECK(type({"application/json"}, both) == "application/json");
  CHECK(type({"*/*"}, both) == "text/html");
  CHECK(type({"text/html;q=0.5, application/json"}, both) == "application/json");
  CHECK(type({"text/html;q=0.5", "application/json;q=0.4"}, both) == "text/html");
  CHECK(type({"application/*"}, both) == "application/json");
  CHECK(type({"text/*;q=0.3, */*;q=0.8"}, both) == "application/json");
  CHECK(type({"TEXT/HTML"}, both) == "text/html");
  CHECK(type({"image/png"}, both) == "none");
  CHECK(type({"*/*, text/html;q=0"}, both) == "application/json");
  CHECK(type({"text/html;q=0"}, {"text/html"}) == "none");
  CHECK(type({""}, both) == "none");
}

TEST_CASE("the closest media range decides (RFC 9110 §12.5.1)") {
  const texts like_the_rfc{
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
      "*/*;q=0.5"};
  CHECK(type(like_the_rfc, {"image/jpeg", "text/html"}) == "image/jpeg");
  CHECK(type(like_the_rfc, {"image/jpeg", "text/plain"}) == "text/plain");
  CHECK(type(like_the_rfc, {"text/plain; format=fixed", "image/jpeg"}) == "image/jpeg");
  CHECK(type(like_the_rfc, {"text/plain", "text/plain;format=\"flowed\""}) == "text/plain;format=\"flowed\"");
}

TEST_CASE("an element that breaks the grammar does not count, the others do") {
  const texts both{"text/html", "application/json"};
  CHECK(type({"text/html;q=high, application/json;q=0.1"}, both) == "application/json");
  CHECK(type({"text/html;q, application/json;q=0.1"}, both) == "application/json");
  CHECK(type({"a/b;c=\",text/html\", application/json"}, both) == "application/json");
}

TEST_CASE("the content coding that Accept-Encoding likes best (RFC 9110 §12.5.3)") {
  CHECK(coding({}) == "identity");
  CHECK(coding({""}) == "identity");
  CHECK(coding({"gzip, deflate, br, zstd"}) == "zstd");
  CHECK(coding({"gzip, deflate"}) == "gzip");
  CHECK(coding({"x-gzip"}) == "gzip");
  CHECK(coding({"GZIP"}) == "gzip");
  CHECK(coding({"br;q=0.5, gzip;q=0.9"}) == "gzip");
  CHECK(coding({"gzip;q=0"}) == "identity");
  CHECK(coding({"*"}) == "zstd");
  CHECK(coding({"*;q=0.1, gzip"}) == "gzip");
  CHECK(coding({"*;q=0"}) == "none");
  CHECK(coding({"identity;q=0"}) == "none");
  CHECK(coding({"identity;q=0, gzip;q=0.001"}) == "gzip");
  CHECK(coding({"identity, gzip;q=0.5"}) == "identity");
  CHECK(coding({"compress"}) == "identity");
}
