#include "http/server/upload.hpp"

#include <algorithm>

#include "http/core/multipart.hpp"
#include "http/core/parameters.hpp"

namespace tunic::http {
namespace {

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
    count(name->size() + part_cost);
    if (!in_file_) {
      form_.fields.emplace_back(*name, std::string());
      return;
    }
    count(file_cost);
    auto& file = form_.files.emplace_back(folder_);
    file.field = *name;
    file.name = last_part(*file_name);
    file.media_type = header.find("Content-Type").value_or("");
    count(file_name->size() + file.media_type.size());
  }

  void content(std::span<const std::byte> octets) {
    if (in_file_) return form_.files.back().write(octets);
    count(octets.size());
    form_.fields.back().second.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  }

  void end_part() {
    if (in_file_) form_.files.back().finish();
  }

 private:
  // Of what a form may have: so that nobody sends a million empty fields, or a thousand empty files.
  static constexpr std::size_t part_cost = 128, file_cost = 4 * 1024;

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

asio::awaitable<received_form> receive_form(request& in, std::string folder, std::size_t most) {
  received_form form;
  const auto type = in.header.find("Content-Type").value_or("");
  if (grammar::same_token(parameterized(type).value(), "application/x-www-form-urlencoded")) {
    constexpr std::size_t most_fields = 1000;
    const auto content = co_await in.content.read_all(most);
    if (static_cast<std::size_t>(std::count(content.begin(), content.end(), '&')) > most_fields)
      throw refusal(status_code::content_too_large, "the form has too many fields");
    form.fields = parse_form(content);
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
        case multipart_reader::event::part_end: builder.end_part(); break;
        case multipart_reader::event::end: break;
        case multipart_reader::event::failed: throw refusal(status_code::bad_request, std::string(reader.error()));
      }
    }
  }
  if (!reader.complete()) throw refusal(status_code::bad_request, "the form is cut short");
  co_return form;
}

}  // namespace tunic::http
