#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "drivers/file_descriptor.hpp"

namespace tunic::app {

/// Where a body goes: a file, or the standard output.
class output {
 public:
  /// `path` is empty for the standard output. Nothing is opened yet.
  explicit output(std::string path) : path_(std::move(path)) {}

  /// Makes the file, or empties the one that is there. Throws std::system_error, as write and finish do.
  void open();
  void write(std::span<const std::byte> octets);
  /// All has been written: closes the file.
  void finish();
  /// The body is not whole: removes the file if open() made it. Returns what has become of it, a sentence, or nothing.
  std::string give_up();

  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  [[noreturn]] void fail(int number) const;

  std::string path_;
  drivers::file_descriptor fd_;
  bool made_ = false;
  std::uint64_t written_ = 0;  // octets
};

}  // namespace tunic::app
