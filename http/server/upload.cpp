#include "http/server/upload.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "http/core/multipart.hpp"
#include "http/core/parameters.hpp"

namespace tunic::http {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

// Clients of old send a whole path, with either slash.
std::string last_part(const std::string& path) {
  return path.substr(path.find_last_of("/\\") + 1);
}

// Puts the events of a multipart_reader into a form.
class form_builder {
 public:
  form_builder(received_form& form, const std::string& folder, std::size_t most)
      : form_(form), folder_(folder), most_(most) {}

  void begin_part(const fields& header) {
    const parameterized disposition(header.find("Content-Disposition").value_or(""));
    const auto name = disposition.parameter("name");
    if (!grammar::same_token(disposition.value(), "form-data") || !name)
      throw refusal(status_code::bad_request, "a part of the form has no name");
    const auto file_name = disposition.parameter("filename");
    in_file_ = file_name.has_value();
    if (!in_file_) {
      form_.fields.emplace_back(*name, std::string());
      count(name->size());
      return;
    }
    auto& file = form_.files.emplace_back(folder_);
    file.field = *name;
    file.name = last_part(*file_name);
    file.media_type = header.find("Content-Type").value_or("");
    count(name->size() + file_name->size() + file.media_type.size() + file_cost);
  }

  void content(std::span<const std::byte> octets) {
    if (in_file_) return form_.files.back().write(octets);
    count(octets.size());
    form_.fields.back().second.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }

 private:
  static constexpr std::size_t file_cost = 1024;  // so that nobody opens thousands of empty files

  void count(std::size_t octets) {
    if (octets > most_) throw refusal(status_code::content_too_large, "the form is too large");
    most_ -= octets;
  }

  received_form& form_;
  const std::string& folder_;
  std::size_t most_;
  bool in_file_ = false;
};

}  // namespace

uploaded_file::uploaded_file(const std::string& folder) : path_(folder + "/upload-XXXXXX") {
  descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot write to the folder " + folder);
}

uploaded_file::~uploaded_file() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

uploaded_file::uploaded_file(uploaded_file&& other) noexcept
    : field(std::move(other.field)),
      name(std::move(other.name)),
      media_type(std::move(other.media_type)),
      path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

uploaded_file& uploaded_file::operator=(uploaded_file&& other) noexcept {
  std::swap(field, other.field);
  std::swap(name, other.name);
  std::swap(media_type, other.media_type);
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void uploaded_file::write(std::span<const std::byte> octets) {
  while (!octets.empty()) {
    const auto n = ::write(descriptor_, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
      throw refusal(status_code::insufficient_storage, "there is no room for the file");
    if (n < 0) fail("writing an uploaded file");
    octets = octets.subspan(static_cast<std::size_t>(n));
    size_ += static_cast<std::uint64_t>(n);
  }
}

void uploaded_file::keep_as(const std::string& path) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0)
    fail("cannot keep an uploaded file as " + path);
  ::close(std::exchange(descriptor_, -1));
  path_ = path;
}

asio::awaitable<received_form> receive_form(request& in, std::string folder, std::size_t most) {
  received_form form;
  const auto type = in.header.find("Content-Type").value_or("");
  if (grammar::same_token(parameterized(type).value(), "application/x-www-form-urlencoded")) {
    form.fields = parse_form(co_await in.content.read_all(most));
    co_return form;
  }
  const auto boundary = multipart_boundary(type, "form-data");
  if (!boundary) throw refusal(status_code::unsupported_media_type, "this is no form");
  multipart_reader reader(*boundary);
  form_builder builder(form, folder, most);
  for (;;) {
    auto octets = co_await in.content.read();
    if (octets.empty()) break;
    for (bool more = true; more;) {
      switch (reader.next(octets)) {
        case multipart_reader::event::need_more: more = false; break;
        case multipart_reader::event::part: builder.begin_part(reader.header()); break;
        case multipart_reader::event::content: builder.content(reader.body()); break;
        case multipart_reader::event::part_end:
        case multipart_reader::event::end: break;
        case multipart_reader::event::failed: throw refusal(status_code::bad_request, std::string(reader.error()));
      }
    }
  }
  if (!reader.complete()) throw refusal(status_code::bad_request, "the form is cut short");
  co_return form;
}

}  // namespace tunic::http
