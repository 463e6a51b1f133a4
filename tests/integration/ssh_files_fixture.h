#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ssh_target_fixture.h"

namespace cosmos::testing {

// Files between this machine and an ordinary account of a real host, through a link that counts and can be slow.
class SshFilesTest : public SshTargetTest {
 protected:
  void SetUp() override {
    SshTargetTest::SetUp();
    if (IsSkipped()) return;
    Serve();
    UseAccount();
    PutProxy();
    Connect();
    target_->Workdir();
    std::filesystem::create_directories(here());
  }

  std::filesystem::path here() const { return folder_ / "here"; }
  void Upload(const std::vector<FileTransfer>& files) { target_->Upload(files, "me", cancel_, {}); }
  std::vector<Downloaded> Download(const std::vector<FileTransfer>& files) {
    return target_->Download(files, cancel_, {});
  }
  // What is transferred while `work` is done.
  std::uint64_t BytesOf(const std::function<void()>& work) const {
    const std::uint64_t before = proxy_->BytesForwarded();
    work();
    return proxy_->BytesForwarded() - before;
  }
  // As the host's account does it.
  void WriteThere(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((std::filesystem::path(there()) / name).parent_path());
    WriteFile(there() + "/" + name, content);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(there())) {
      if (::lchown(entry.path().c_str(), account_->uid(), static_cast<gid_t>(-1)) != 0) FAIL() << entry.path();
    }
  }
};

}  // namespace cosmos::testing
