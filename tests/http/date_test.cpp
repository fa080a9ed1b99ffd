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

TEST_CASE("the two obsolete forms of a date are read (RFC 9110 §5.6.7)") {
  constexpr std::int64_t now = 1795867200;  // in 2026
  CHECK(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", now) == 784111777);
  CHECK(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == 784111777);
  CHECK(parse_date("Sun Nov  6 08:49:37 1994", now) == 784111777);
  CHECK(parse_date("Tue Feb 29 12:34:56 2000", now) == 951827696);
  // RFC 9110 §5.6.7: a year of two digits that seems to be more than 50 years ahead is one of the past.
  CHECK(parse_date("Tuesday, 24-Nov-76 00:00:00 GMT", now) == 3373401600);
  CHECK(parse_date("Thursday, 24-Nov-77 00:00:00 GMT", now) == 249177600);
  for (const auto bad :
       {"Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Monday, 06-Nov-94 08:49:37 GMT", "Sun Nov 06 08:49:37 1994 GMT", "Sun Nov  6 08:49:37 94",
        "Mon Nov  6 08:49:37 1994", "784111777", "Sunday", "", ","})
    CHECK_FALSE(parse_date(bad, now));
}

TEST_CASE("any other date is not understood") {
  for (const auto bad :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"})
    CHECK_FALSE(parse_imf_fixdate(bad));
}
