#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace cosmos::testing {

// An ordinary account of this machine with a home and bash, which an SshServer lets in. Needs root. The destructor
// kills its processes and removes it with its home. Tests in parallel may each make theirs; not thread-safe.
class TestAccount {
 public:
  // With a socket, the account is a member of the group that owns it (as one in group `docker` is on a real host).
  // Throws std::runtime_error when the account cannot be made.
  explicit TestAccount(const std::filesystem::path& docker_socket = {});
  ~TestAccount();
  TestAccount(const TestAccount&) = delete;
  TestAccount& operator=(const TestAccount&) = delete;

  const std::string& name() const { return name_; }
  uid_t uid() const { return uid_; }
  std::filesystem::path home() const { return "/home/" + name_; }

 private:
  std::string name_;
  uid_t uid_ = 0;
};

}  // namespace cosmos::testing
