#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/core/grammar.hpp"

namespace tunic::http {

struct field {
  std::string_view name;
  std::string_view value;
};

// A field section (RFC 9110 §5): ordered, repeated names kept, names compared without regard to case. It is held as the
// very text that travels ("Name: value\r\n" a field) plus one small record a field, so that a cleared or assigned
// section allocates nothing once it has grown, and emitting it is one copy. Most questions to a section are about a
// name that it has not; what names it may have is kept in one word. Views last until the next change.
class fields {
 public:
  class iterator;

  // Appends a field; name and value may be views of the section. Throws std::invalid_argument if the name is no token
  // or the value holds a control octet: this is what keeps a handler that echoes its input from splitting the response.
  void add(std::string_view name, std::string_view value);

  // As add, but says false instead of throwing.
  bool try_add(std::string_view name, std::string_view value);

  // Replaces all fields of that name by one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name) {
    if (may_have(name)) remove_all(name);
  }
  void clear();

  // The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const {
    return may_have(name) ? find_first(name) : std::nullopt;
  }
  std::size_t count(std::string_view name) const { return may_have(name) ? count_all(name) : 0; }

  // Whether a comma-separated list, over all fields of that name, has the element (Connection, Expect, ...).
  bool has_element(std::string_view name, std::string_view element) const {
    return may_have(name) && find_element(name, element);
  }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  field operator[](std::size_t index) const {
    const auto& e = entries_[index];
    return {name_of(e), value_of(e)};
  }
  iterator begin() const;
  iterator end() const;

  // The field lines as they travel, without the empty line that ends a head.
  std::string_view wire() const { return text_; }

  // Octets of memory that it has, used or not.
  std::size_t capacity() const { return text_.capacity() + entries_.capacity() * sizeof(entry); }

 private:
  struct entry {
    std::uint32_t at;
    std::uint32_t name_size;
    std::uint32_t value_size;
  };

  // A bit that follows from the first letter and the length; other names may have it as well.
  static constexpr std::uint64_t mark_of(std::string_view name) {
    const auto first = name.empty() ? 0U : static_cast<unsigned>(grammar::lower(name.front()));
    return std::uint64_t{1} << ((first + name.size()) % 64);
  }
  bool is_ours(std::string_view text) const;
  bool may_have(std::string_view name) const { return (marks_ & mark_of(name)) != 0; }
  std::string_view name_of(const entry& e) const { return {text_.data() + e.at, e.name_size}; }
  std::string_view value_of(const entry& e) const { return {text_.data() + e.at + e.name_size + 2, e.value_size}; }
  std::optional<std::string_view> find_first(std::string_view name) const;
  std::size_t count_all(std::string_view name) const;
  bool find_element(std::string_view name, std::string_view element) const;
  void remove_all(std::string_view name);

  std::string text_;
  std::vector<entry> entries_;
  std::uint64_t marks_ = 0;  // of all names
};

class fields::iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = field;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = field;

  iterator(const fields& of, std::size_t index) : of_(&of), index_(index) {}
  field operator*() const { return (*of_)[index_]; }
  iterator& operator++() {
    ++index_;
    return *this;
  }
  bool operator==(const iterator& other) const { return index_ == other.index_; }

 private:
  const fields* of_;
  std::size_t index_;
};

inline fields::iterator fields::begin() const {
  return {*this, 0};
}
inline fields::iterator fields::end() const {
  return {*this, entries_.size()};
}

}  // namespace tunic::http
