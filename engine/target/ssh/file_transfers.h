#pragma once

#include <string>
#include <vector>

#include "target/ssh/remote_shell.h"
#include "target/target.h"

// Files between this machine and a host, over channels of its one connection: as many files as there are go one behind
// the other through one channel, so neither a long way nor small files make it wait. SHA-256 of both sides is compared
// before a file gets its name; what is there already is not sent again, and a cut is gone on from. The contracts stand
// at Target::Upload and Target::Download. Any thread, one transfer at a time for the same files.
namespace cosmos {

void UploadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files, const std::string& owner,
                 const CancelToken& cancel, const Target::TransferListener& listener);
std::vector<Downloaded> DownloadFiles(RemoteShell* shell, const std::vector<FileTransfer>& files,
                                      const CancelToken& cancel, const Target::TransferListener& listener);

}  // namespace cosmos
