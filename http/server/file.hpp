#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "http/server/file_stamp.hpp"
#include "http/server/mapped_pieces.hpp"

struct stat;

namespace tunic::http {

// An open regular file or directory. Its size is the one it had when it was opened.
class file {
 public:
  enum class kind : std::uint8_t { regular, directory, other };

  file(int descriptor, kind what, const file_stamp& stamp, std::shared_ptr<mapped_pieces> mapped)
      : descriptor_(descriptor), kind_(what), stamp_(stamp), mapped_(std::move(mapped)) {}
  ~file();
  file(const file&) = delete;
  file& operator=(const file&) = delete;

  kind what() const { return kind_; }
  const file_stamp& stamp() const { return stamp_; }
  std::uint64_t size() const { return stamp_.size; }

  // Reads at `offset`; fewer octets than asked for only at the end of the file.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into, std::error_code& error) const;

  // Maps `length` octets from `offset` on, a multiple of map_unit, read-only. The octets may only be handed to system
  // calls: touching a page that a truncation took away raises SIGBUS, where a system call fails with EFAULT.
  static constexpr std::uint64_t map_unit = 64 * 1024;
  shared_octets map(std::uint64_t offset, std::size_t length, std::error_code& error) const;
  // The octets before the page that the file ends in. If the file is cut within that one, its mapping shows noughts
  // where others fail.
  std::uint64_t mappable() const;
  // Of all files of its folder: see mapped_pieces. To be called now and then.
  void forget_unused() const;

  // Whether the file still has the size it was opened with, or more.
  bool is_whole() const;

 private:
  int descriptor_;
  kind kind_;
  file_stamp stamp_;
  std::shared_ptr<mapped_pieces> mapped_;
};

// What a directory holds under one name.
struct folder_entry {
  std::string name;
  file::kind what;
  std::uint64_t size;     // octets, of a regular file
  std::int64_t modified;  // nanoseconds since 1970
};

// A directory that files are opened beneath. Nothing opened through it lies outside of it: the kernel resolves the path
// with RESOLVE_BENEATH (openat2, Linux 5.6), so that neither ".." nor a symbolic link leads out.
class folder {
 public:
  // Throws std::system_error if the path is no readable directory.
  explicit folder(const std::string& path);
  ~folder();
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  // `path` is relative, "" is the folder itself. Null with the error of openat2 where there is nothing to open;
  // cross_device_link is a path that leads out of the folder.
  std::shared_ptr<const file> open(const std::string& path, std::error_code& error) const;

  // What the directory `path` ("" or with a "/" at its end) holds, by name, without the hidden (".name") and without
  // links that lead out of the folder.
  std::vector<folder_entry> list(const std::string& path, std::error_code& error) const;

  // The stamp of what has that name now; one system call. Only for comparing with the stamp of an opened file.
  std::optional<file_stamp> stamp(const std::string& path) const;

 private:
  int open_descriptor(const std::string& path, int flags, std::error_code& error) const;
  bool follow(const std::string& path, struct stat& s) const;

  int descriptor_;
  mutable std::weak_ptr<mapped_pieces> mapped_;  // of the files that are open
};

}  // namespace tunic::http
