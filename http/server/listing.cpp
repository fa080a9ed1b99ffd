#include "http/server/listing.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "http/core/date.hpp"
#include "http/core/negotiation.hpp"

namespace tunic::http {
namespace {

constexpr std::array<std::string_view, 2> offers{"text/html; charset=utf-8", "application/json"};

std::string slash(const folder_entry& entry) {
  return entry.what == file::kind::directory ? "/" : "";
}

std::string date(const folder_entry& entry) {
  return std::string(imf_fixdate(entry.modified / 1'000'000'000).text());
}

std::string page(std::string_view path, const std::vector<folder_entry>& entries) {
  const auto title = escape_html(path);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
      title +
      "</title>\n<style>"
      "body{font:16px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
      "table{border-collapse:collapse;width:100%}td,th{padding:.2em .6em;text-align:left}"
      "td:nth-child(2),th:nth-child(2){text-align:right}tr:nth-child(even){background:#8881}"
      ":root{color-scheme:light dark}</style></head>\n<body><h1>" +
      title +
      "</h1>\n"
      "<table><tr><th>Name</th><th>Octets</th><th>Modified</th></tr>\n";
  if (path != "/") out += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const auto& entry : entries) {
    const bool is_file = entry.what == file::kind::regular;
    // "./" before it: a name with a colon is no scheme
    out.append("<tr><td><a href=\"./").append(escape_html(encode_path(entry.name))).append(slash(entry)).append("\">");
    out.append(escape_html(entry.name)).append(slash(entry)).append("</a></td><td>");
    out.append(is_file ? std::to_string(entry.size) : "").append("</td><td>").append(date(entry));
    out.append("</td></tr>\n");
  }
  return out.append("</table></body></html>\n");
}

std::string json(const std::vector<folder_entry>& entries) {
  auto all = nlohmann::json::array();
  for (const auto& entry : entries) {
    nlohmann::json one{{"name", entry.name}, {"modified", date(entry)}};
    one["type"] = entry.what == file::kind::directory ? "directory" : "file";
    if (entry.what == file::kind::regular) one["size"] = entry.size;
    all.push_back(std::move(one));
  }
  // A name need not be UTF-8: what is none is replaced.
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).append("\n");
}

}  // namespace

void answer_listing(const request& in, const std::vector<folder_entry>& entries, response& out) {
  const auto chosen = preferred_type(in.header, offers).value_or(0);
  out.set_content(chosen == 0 ? page(in.path, entries) : json(entries), offers[chosen]);
  out.head.header.add("Vary", "Accept");
  out.head.header.add("Cache-Control", "no-cache");
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace tunic::http
