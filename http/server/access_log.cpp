#include "http/server/access_log.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

namespace tunic::http {
namespace {

// As Apache does it: \" and \\, and \xhh for every octet that is not printable US-ASCII.
std::string escaped(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet > 0x7e)
      out.append({'\\', 'x', hex[octet >> 4], hex[octet & 15]});
    else if (c == '"' || c == '\\')
      out.append({'\\', c});
    else
      out += c;
  }
  return out;
}

std::string formatted(std::time_t at, const char* format) {
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string_view version(const request& in) {
  return in.version == protocol_version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
}

std::string peer(const request& in) {
  return in.peer.port() == 0 ? "-" : in.peer.address().to_string();
}

}  // namespace

std::string combined_line(const answered& what, std::time_t now) {
  const auto& in = what.in;
  const auto field = [&](const char* name) { return escaped(in.header.find(name).value_or("-")); };
  std::string line = peer(in);
  line.append(" - - [").append(formatted(now, "%d/%b/%Y:%H:%M:%S +0000")).append("] \"");
  if (in.method.empty())
    line.append("-");
  else
    line.append(escaped(in.method)).append(" ").append(escaped(in.target)).append(" ").append(version(in));
  line.append("\" ").append(std::to_string(number(what.head.status))).append(" ");
  line.append(std::to_string(what.content)).append(" \"").append(field("Referer")).append("\" \"");
  return line.append(field("User-Agent")).append("\"");
}

std::string json_line(const answered& what, std::time_t now) {
  const auto& in = what.in;
  nlohmann::ordered_json line{{"time", formatted(now, "%Y-%m-%dT%H:%M:%SZ")},
                              {"peer", peer(in)},
                              {"method", in.method},
                              {"target", in.target},
                              {"version", version(in)},
                              {"host", in.authority()},
                              {"status", number(what.head.status)},
                              {"octets", what.content},
                              {"seconds", std::chrono::duration<double>(what.took).count()},
                              {"whole", what.whole}};
  if (const auto referer = in.header.find("Referer")) line["referer"] = *referer;
  if (const auto agent = in.header.find("User-Agent")) line["agent"] = *agent;
  // What is not UTF-8 is replaced.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tunic::http
