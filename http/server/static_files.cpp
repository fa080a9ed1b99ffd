#include "http/server/static_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "http/core/date.hpp"
#include "http/core/grammar.hpp"
#include "http/server/media_type.hpp"

namespace tunic::http {
namespace {

constexpr std::uint64_t largest_cached = 64 * 1024;       // octets; a larger file goes out from the page cache
constexpr std::size_t cache_capacity = 64 * 1024 * 1024;  // octets of content
constexpr std::size_t cache_entries = 16 * 1024;          // paths: what many tiny files may take
constexpr std::string_view index_page = "index.html";

// The kernel stamps files by its tick. A file changed within the same tick as we read it cannot be told from what we
// read, so one that is younger than this is served and not kept.
constexpr std::chrono::nanoseconds stamp_granularity = std::chrono::milliseconds(20);

bool is_settled(const file_stamp& stamp) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return now - std::chrono::nanoseconds(std::max(stamp.modified, stamp.status_changed)) > stamp_granularity;
}

// A strong validator (RFC 9110 §8.8.3): a file that changed has another time or another size.
std::string entity_tag(const file_stamp& stamp) {
  std::array<char, 16> digits;
  const auto hex = [&](auto value) {
    return std::string_view(digits.data(), std::to_chars(digits.begin(), digits.end(), value, 16).ptr);
  };
  std::string tag = "\"";
  tag.append(hex(static_cast<std::uint64_t>(stamp.modified))).append("-");
  return tag.append(hex(stamp.size)).append("\"");
}

// RFC 9110 §13.1.2: the weak comparison, over a list of entity tags or "*"
bool has_tag(std::string_view list, std::string_view tag) {
  bool found = list == "*";
  grammar::for_each_element(list, [&](std::string_view element) {
    if (element.starts_with("W/")) element.remove_prefix(2);
    found = found || element == tag;
  });
  return found;
}

// RFC 9110 §13.2.2, steps 3 and 4: what a GET or HEAD of an unchanged file turns into 304
bool is_not_modified(const request& in, const fields& header) {
  if (const auto tags = in.header.find("If-None-Match")) return has_tag(*tags, *header.find("ETag"));
  const auto since = in.header.find("If-Modified-Since");
  if (!since) return false;
  const auto limit = parse_imf_fixdate(*since);
  return limit && *parse_imf_fixdate(*header.find("Last-Modified")) <= *limit;
}

fields header_for(const std::string& path, const file_stamp& stamp) {
  fields header;
  header.add("Content-Type", media_type(path));
  header.add("Last-Modified", imf_fixdate(stamp.modified / 1'000'000'000).text());
  header.add("ETag", entity_tag(stamp));
  return header;
}

template <class Content>
void answer_with(const request& in, response& out, const fields& header, const Content& content) {
  out.head.header = header;
  if (is_not_modified(in, header))
    out.head.status = status_code::not_modified;
  else
    out.content = content;
}

void refuse(response& out, const std::error_code& error) {
  if (error == std::errc::permission_denied || error == std::errc::cross_device_link ||
      error == std::errc::too_many_symbolic_link_levels)
    out = response::error(status_code::forbidden);
  else if (error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
           error == std::errc::not_enough_memory)
    out = response::error(status_code::service_unavailable, error.message());
  else if (error == std::errc::function_not_supported)
    out = response::error(status_code::internal_server_error, "this kernel has no openat2 (Linux 5.6 or newer)");
  else
    out = response::error(status_code::not_found);
}

}  // namespace

asio::awaitable<void> static_files::handle(const request& in, response& out) {
  answer(in, out);
  return {};
}

void static_files::answer(const request& in, response& out) {
  if (in.method != "GET" && in.method != "HEAD") {
    const bool known = is_known_method(in.method);
    out = response::error(known ? status_code::method_not_allowed : status_code::not_implemented);
    out.head.header.add("Allow", "GET, HEAD");  // RFC 9110 §15.5.6
    return;
  }
  if (const auto found = cache_.find(in.path); found != cache_.end()) {
    const auto& entry = found->second;
    if (root_.stamp(entry.path) == entry.stamp) return answer_with(in, out, entry.header, entry.content);
    cached_octets_ -= entry.content.octets.size();
    cache_.erase(found);
  }
  open_and_answer(in, out);
}

void static_files::open_and_answer(const request& in, response& out) {
  std::error_code error;
  std::string path = in.path.substr(1);
  auto opened = root_.open(path, error);
  if (opened && opened->what() == file::kind::directory) {
    if (in.path.back() != '/') {
      // The path has single slashes only, so that this cannot name another host.
      out = response::error(status_code::moved_permanently);
      const auto query = in.query();
      out.head.header.add("Location", encode_path(in.path + "/").append(query.empty() ? "" : "?").append(query));
      return;
    }
    path += index_page;
    opened = root_.open(path, error);
    if (!opened && error == std::errc::no_such_file_or_directory) error = make_error_code(std::errc::permission_denied);
  }
  if (!opened) return refuse(out, error);
  if (opened->what() != file::kind::regular) {
    out = response::error(status_code::forbidden);
    return;
  }
  load(path, opened, in, out);
}

void static_files::load(const std::string& path, const std::shared_ptr<const file>& opened, const request& in,
                        response& out) {
  cached entry{path, opened->stamp(), header_for(path, opened->stamp()), {}};
  if (opened->size() > largest_cached) return answer_with(in, out, entry.header, file_part{opened, 0, opened->size()});

  const auto octets = std::make_shared<std::string>(static_cast<std::size_t>(opened->size()), '\0');
  std::error_code error;
  const auto n = opened->read(0, std::as_writable_bytes(std::span(*octets)), error);
  if (error || n != octets->size()) {
    out = response::error(status_code::internal_server_error, error ? error.message() : "the file is being changed");
    return;
  }
  entry.content = {octets, std::as_bytes(std::span(*octets))};
  answer_with(in, out, entry.header, entry.content);
  if (is_settled(entry.stamp)) keep(in.path, std::move(entry));
}

void static_files::keep(const std::string& key, cached entry) {
  const auto size = entry.content.octets.size();
  while (!cache_.empty() && (cached_octets_ + size > cache_capacity || cache_.size() >= cache_entries)) {
    cached_octets_ -= cache_.begin()->second.content.octets.size();
    cache_.erase(cache_.begin());
  }
  cached_octets_ += size;
  cache_.insert_or_assign(key, std::move(entry));
}

}  // namespace tunic::http
