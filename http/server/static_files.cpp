#include "http/server/static_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "http/core/date.hpp"
#include "http/core/grammar.hpp"
#include "http/core/negotiation.hpp"
#include "http/server/listing.hpp"

namespace tunic::http {
namespace {

constexpr std::uint64_t largest_cached = 64 * 1024;       // octets; a larger file goes out from the page cache
constexpr std::uint64_t largest_coded = 1024 * 1024;      // octets; coding a larger one would hold up the others
constexpr std::uint64_t smallest_coded = 256;             // octets; fewer fit into the first segment anyway
constexpr std::size_t cache_capacity = 64 * 1024 * 1024;  // octets of content and of paths
constexpr std::size_t cache_entries = 16 * 1024;          // paths: what many tiny files may take

// What Accept-Encoding is asked for, the first where a client likes several alike.
constexpr std::array codings{content_coding::zstd, content_coding::br, content_coding::gzip, content_coding::identity};
constexpr std::array<std::string_view, 4> coding_names{"zstd", "br", "gzip", "identity"};

using wall_clock = std::chrono::system_clock;

// The kernel stamps files by its tick, and some file systems keep whole seconds only. A file changed within the same
// tick as we read it cannot be told from what we read, so one that was younger than this is served and not kept.
bool is_settled(const file_stamp& stamp, wall_clock::time_point when_read) {
  constexpr std::int64_t second = 1'000'000'000;
  const bool coarse = stamp.modified % second == 0 && stamp.status_changed % second == 0;
  const auto granularity = coarse ? std::chrono::milliseconds(2000) : std::chrono::milliseconds(20);
  const std::chrono::nanoseconds changed(std::max(stamp.modified, stamp.status_changed));
  return when_read.time_since_epoch() - changed > granularity;
}

// A strong validator (RFC 9110 §8.8.3): a file that changed has another time or another size, and each coding of it
// has octets of its own.
std::string entity_tag(const file_stamp& stamp, content_coding coding) {
  std::array<char, 16> digits;
  const auto hex = [&](auto value) {
    return std::string_view(digits.data(), std::to_chars(digits.begin(), digits.end(), value, 16).ptr);
  };
  std::string tag = "\"";
  tag.append(hex(static_cast<std::uint64_t>(stamp.modified))).append("-").append(hex(stamp.size));
  if (coding != content_coding::identity) tag.append("-").append(name(coding));
  return tag.append("\"");
}

void refuse(response& out, const std::error_code& error) {
  if (error == std::errc::permission_denied || error == std::errc::cross_device_link ||
      error == std::errc::too_many_symbolic_link_levels)
    out = response::error(status_code::forbidden);
  else if (error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
           error == std::errc::not_enough_memory || error == std::errc::resource_unavailable_try_again)
    out = response::error(status_code::service_unavailable, error.message());
  else if (error == std::errc::function_not_supported)
    out = response::error(status_code::internal_server_error, "this kernel has no openat2 (Linux 5.6 or newer)");
  else
    out = response::error(status_code::not_found);
}

}  // namespace

std::size_t static_files::cached::octets() const {
  const auto* const held = std::get_if<shared_octets>(&content.content);
  return (held != nullptr ? held->octets.size() : 0) + 2 * path.size();  // and about as much for the key
}

asio::awaitable<void> static_files::handle(request& in, response& out) {
  answer(in, out);
  return {};
}

void static_files::answer(const request& in, response& out) {
  if (in.method_is("OPTIONS")) {
    out.head.status = status_code::no_content;
    out.head.header.add("Allow", "GET, HEAD, OPTIONS");
    return;
  }
  if (!in.method_is("GET") && !in.method_is("HEAD")) {
    const bool known = is_known_method(in.method);
    out = response::error(known ? status_code::method_not_allowed : status_code::not_implemented);
    out.head.header.add("Allow", "GET, HEAD, OPTIONS");  // RFC 9110 §15.5.6
    return;
  }
  auto coding = content_coding::identity;
  key_ = in.path;
  const std::string_view file_name = in.path.back() == '/' ? options_.index : in.path;
  if (options_.code && in.header.find("Accept-Encoding") && is_compressible(types_.of(file_name))) {
    const auto chosen = preferred_coding(in.header, coding_names);
    if (!chosen) {  // RFC 9110 §12.5.3
      out = response::error(status_code::not_acceptable);
      return;
    }
    coding = codings[*chosen];
    if (coding != content_coding::identity) key_.append(1, '\0').append(suffix(coding));
  }
  for (auto found = cache_.find(key_); found != cache_.end(); found = cache_.find(key_)) {
    if (!is_current(found->second, in.batch)) {
      cached_octets_ -= found->second.octets();
      cache_.erase(found);
    } else if (found->second.plain) {
      coding = content_coding::identity;
      key_ = in.path;
    } else {
      return answer_with(in, found->second.content, out);
    }
  }
  open_and_answer(in, coding, key_, out);
}

// A request that came in one batch with another was sent before that one was answered, and this before the file was
// looked at for it: looking again could only show what changed since.
bool static_files::is_current(cached& entry, const input_batch& batch) const {
  if (batch.first != nullptr && batch == entry.compared) return true;
  if (root_.stamp(entry.path) != entry.stamp) return false;
  entry.compared = batch;
  return true;
}

void static_files::open_and_answer(const request& in, content_coding coding, const std::string& key, response& out) {
  const auto now = wall_clock::now();
  std::error_code error;
  std::string path = in.path.substr(1);
  auto opened = root_.open(path, error);
  if (opened && opened->what() == file::kind::directory) {
    if (in.path.back() != '/') {
      // The path has single slashes only, so that this cannot name another host.
      const auto query = in.query();
      out = response::redirect(encode_path(in.path + "/").append(query.empty() ? "" : "?").append(query),
                               status_code::moved_permanently);
      return;
    }
    opened = root_.open(path + options_.index, error);
    if (!opened && error == std::errc::no_such_file_or_directory) return answer_directory(in, path, out);
    path += options_.index;
  }
  if (!opened) return refuse(out, error);
  if (opened->what() != file::kind::regular) {
    out = response::error(status_code::forbidden);
    return;
  }
  auto entry = load(path, opened, coding, out);
  if (!entry) return;
  answer_with(in, entry->content, out);
  if (!is_settled(entry->stamp, now)) return;
  if (entry->plain) entry->content.content = shared_octets{};
  if (std::holds_alternative<shared_octets>(entry->content.content)) keep(key, std::move(*entry));
}

void static_files::answer_directory(const request& in, const std::string& path, response& out) {
  if (!options_.listing) {
    out = response::error(status_code::forbidden);
    return;
  }
  std::error_code error;
  const auto entries = root_.list(path, error);
  if (error) return refuse(out, error);
  answer_listing(in, entries, out);
}

std::optional<static_files::cached> static_files::load(const std::string& path,
                                                       const std::shared_ptr<const file>& opened, content_coding coding,
                                                       response& out) {
  cached entry{path, opened->stamp(), {}};
  const auto type = types_.of(path);
  // RFC 9110 §8.8.2.1: never later than Date
  entry.content.modified = std::min<std::int64_t>(opened->stamp().modified / 1'000'000'000, std::time(nullptr));
  auto& header = entry.content.header;
  header.add("Content-Type", type);
  header.add("Last-Modified", imf_fixdate(*entry.content.modified).text());
  header.add("Accept-Ranges", "bytes");
  if (options_.code && is_compressible(type)) header.add("Vary", "Accept-Encoding");
  if (coding != content_coding::identity && load_beside(entry, coding)) return entry;

  const auto size = opened->size();
  const bool codes = coding != content_coding::identity && size >= smallest_coded && size <= largest_coded;
  entry.content.content = file_part{opened, 0, size};
  if (size <= largest_cached || codes) {
    std::string octets(static_cast<std::size_t>(size), '\0');
    std::error_code error;
    const auto n = opened->read(0, std::as_writable_bytes(std::span(octets)), error);
    if (error || n != octets.size()) {
      out = response::error(status_code::internal_server_error, error ? error.message() : "the file is being changed");
      return std::nullopt;
    }
    auto coded = codes ? encode(coding, std::as_bytes(std::span(octets))) : std::string();
    if (codes && coded.size() < octets.size()) {
      header.add("Content-Encoding", name(coding));
      header.add("ETag", entity_tag(opened->stamp(), coding));
      entry.content.content = share(std::move(coded));
      return entry;
    }
    entry.plain = codes;
    if (size <= largest_cached) entry.content.content = share(std::move(octets));
  }
  header.add("ETag", entity_tag(opened->stamp(), content_coding::identity));
  return entry;
}

// Takes the content from a file beside that holds it coded. It is opened for each request: such files are for what is
// large, or asked for so often that somebody has coded it well.
bool static_files::load_beside(cached& entry, content_coding coding) {
  std::error_code error;
  const auto path = entry.path + std::string(suffix(coding));
  const auto opened = root_.open(path, error);
  if (!opened || opened->what() != file::kind::regular || opened->stamp().modified < entry.stamp.modified) return false;
  entry.content.header.add("Content-Encoding", name(coding));
  entry.content.header.add("ETag", entity_tag(opened->stamp(), coding));
  entry.content.content = file_part{opened, 0, opened->size()};
  return true;
}

void static_files::keep(const std::string& key, cached entry) {
  const auto size = entry.octets();
  while (!cache_.empty() && (cached_octets_ + size > cache_capacity || cache_.size() >= cache_entries)) {
    cached_octets_ -= cache_.begin()->second.octets();
    cache_.erase(cache_.begin());
  }
  cached_octets_ += size;
  cache_.insert_or_assign(key, std::move(entry));
}

}  // namespace tunic::http
