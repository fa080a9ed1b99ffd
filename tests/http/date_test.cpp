#include "http/core/date.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

TEST_CASE("an IMF-fixdate is written and read (RFC 9110 §5.6.7)") {
  CHECK(imf_fixdate{784111777}.text() == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(imf_fixdate{0}.text() == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(imf_fixdate{951827696}.text() == "Tue, 29 Feb 2000 12:34:56 GMT");
  for (const std::int64_t at : {0L, 784111777L, 951827696L, 4102444799L})
    CHECK(parse_imf_fixdate(imf_fixdate{at}.text()) == at);
}

TEST_CASE("any other date is not understood") {
  for (const auto bad :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"})
    CHECK_FALSE(parse_imf_fixdate(bad));
}
