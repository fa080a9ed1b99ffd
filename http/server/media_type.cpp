#include "http/server/media_type.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "http/core/fields.hpp"
#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

// What a site needs to work where there is no table.
constexpr std::array types = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"html", "text/html"},
    {"htm", "text/html"},
    {"css", "text/css"},
    {"js", "text/javascript"},
    {"mjs", "text/javascript"},
    {"txt", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"xml", "application/xml"},
    {"xhtml", "application/xhtml+xml"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"svg", "image/svg+xml"},
    {"ico", "image/vnd.microsoft.icon"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
});

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), grammar::lower);
  return out;
}

// RFC 9239 §6: application/javascript, which older tables have, is obsolete.
std::string with_charset(std::string_view type) {
  if (type == "application/javascript" || type == "application/x-javascript") type = "text/javascript";
  std::string out(type);
  return type.starts_with("text/") ? out.append("; charset=utf-8") : out;
}

}  // namespace

media_types::media_types(const std::string& table) {
  std::ifstream file(table);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string type, extension;
    words >> type;
    if (!fields{}.try_add("Content-Type", type)) continue;
    while (words >> extension) types_.try_emplace(lower(extension), with_charset(type));
  }
  for (const auto& [extension, type] : types) types_.try_emplace(std::string(extension), with_charset(type));
}

std::string_view media_types::of(std::string_view file_name) const {
  const auto name = file_name.substr(file_name.rfind('/') + 1);
  if (const auto dot = name.rfind('.'); dot != std::string_view::npos)
    if (const auto known = types_.find(lower(name.substr(dot + 1))); known != types_.end()) return known->second;
  return "application/octet-stream";
}

bool is_compressible(std::string_view media_type) {
  const auto type = grammar::trim_ows(media_type.substr(0, media_type.find(';')));
  static constexpr std::array<std::string_view, 8> more{"application/json",
                                                        "application/xml",
                                                        "application/wasm",
                                                        "application/manifest+json",
                                                        "application/vnd.ms-fontobject",
                                                        "font/ttf",
                                                        "image/vnd.microsoft.icon",
                                                        "font/otf"};
  return type.starts_with("text/") || type.ends_with("+xml") || type.ends_with("+json") ||
         std::find(more.begin(), more.end(), type) != more.end();
}

}  // namespace tunic::http
