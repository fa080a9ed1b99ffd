#include "http/core/date.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

constexpr std::string_view day_names = "SunMonTueWedThuFriSat";
constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view shape = "Sun, 00 Jan 0000 00:00:00 GMT";

// Writes `value` in decimal, right-aligned into the `digits` octets at `to`.
void put(char* to, int digits, long value) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (!grammar::in(grammar::digit, c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

int year_of(std::int64_t seconds) {
  using namespace std::chrono;
  return int{year_month_day{floor<days>(sys_seconds{std::chrono::seconds{seconds}})}.year()};
}

// rfc850-date, e.g. "Sunday, 06-Nov-94 08:49:37 GMT", as an IMF-fixdate.
std::string from_rfc850(std::string_view text, std::int64_t now) {
  static constexpr std::array<std::string_view, 7> long_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                              "Thursday", "Friday", "Saturday"};
  const auto comma = text.find(',');
  const auto day = text.substr(0, comma);
  if (comma == std::string_view::npos || std::find(long_names.begin(), long_names.end(), day) == long_names.end())
    return {};
  const auto rest = text.substr(comma);  // ", 06-Nov-94 08:49:37 GMT"
  if (rest.size() != 24 || rest[4] != '-' || rest[8] != '-') return {};
  const auto short_year = number_in(rest.substr(9, 2));
  if (!short_year) return {};
  const int this_year = year_of(now);
  int year = this_year - this_year % 100 + *short_year;
  if (year > this_year + 50) year -= 100;
  return std::string(day.substr(0, 3))
      .append(rest.substr(0, 4))
      .append(" ")
      .append(rest.substr(5, 3))
      .append(" ")
      .append(std::to_string(year))
      .append(rest.substr(11));
}

// asctime-date, e.g. "Sun Nov  6 08:49:37 1994", as an IMF-fixdate.
std::string from_asctime(std::string_view text) {
  std::string day(text.substr(8, 2));
  if (day[0] == ' ') day[0] = '0';
  return std::string(text.substr(0, 3))
      .append(", ")
      .append(day)
      .append(text.substr(3, 5))
      .append(text.substr(20))
      .append(text.substr(10, 10))
      .append("GMT");
}

}  // namespace

imf_fixdate::imf_fixdate(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds{seconds}};
  const auto day = floor<days>(at);
  const year_month_day ymd{day};
  const hh_mm_ss clock{at - day};
  shape.copy(text_.data(), shape.size());
  day_names.copy(&text_[0], 3, weekday{day}.c_encoding() * 3);
  put(&text_[5], 2, static_cast<long>(unsigned{ymd.day()}));
  month_names.copy(&text_[8], 3, (unsigned{ymd.month()} - 1) * 3);
  put(&text_[12], 4, int{ymd.year()});
  put(&text_[17], 2, clock.hours().count());
  put(&text_[20], 2, clock.minutes().count());
  put(&text_[23], 2, clock.seconds().count());
}

std::optional<std::int64_t> parse_imf_fixdate(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != shape.size()) return std::nullopt;
  const auto month_at = month_names.find(text.substr(8, 3));
  const auto d = number_in(text.substr(5, 2)), y = number_in(text.substr(12, 4)), h = number_in(text.substr(17, 2)),
             m = number_in(text.substr(20, 2)), s = number_in(text.substr(23, 2));
  if (month_at == std::string_view::npos || month_at % 3 != 0 || !d || !y || !h || !m || !s) return std::nullopt;
  const year_month_day ymd{year{*y}, month{static_cast<unsigned>(month_at / 3 + 1)}, day{static_cast<unsigned>(*d)}};
  if (!ymd.ok() || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  const auto seconds = (sys_days{ymd}.time_since_epoch() + hours{*h} + minutes{*m} + std::chrono::seconds{*s}).count();
  // The separators, the name of the day and "GMT" are right exactly if writing the date again gives the same text.
  return imf_fixdate{seconds}.text() == text ? std::optional<std::int64_t>{seconds} : std::nullopt;
}

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) {
  if (text.size() == shape.size() && text[3] == ',') return parse_imf_fixdate(text);
  if (text.size() == 24 && text[3] == ' ') return parse_imf_fixdate(from_asctime(text));
  return parse_imf_fixdate(from_rfc850(text, now));
}

}  // namespace tunic::http
