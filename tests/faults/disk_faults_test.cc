// Full disks, here and on the host: what was computed stays, and nothing is computed twice.
#include "faults_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DiskFaultTest : public FaultTest {
 protected:
  // The output folder lies on a disk that is nearly full.
  void FullHere() { disk_ = std::make_unique<SmallDisk>(sandbox_.outputs(), "1m"); }
  void ExpectInterrupted(const Ended& ended) const {
    EXPECT_EQ(ended.status, 3) << ended.out << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("No space left on device"));
    EXPECT_THAT(ended.err, HasSubstr("resume"));
    EXPECT_EQ(StatusOfRun(), "interrupted");
  }
  int Leases() const {
    const std::string database = sandbox_.Run({"find", sandbox_.folder().string(), "-name", "*.db"}).out;
    return std::stoi(
        sandbox_.Run({"sqlite3", database.substr(0, database.find('\n')), "SELECT count(*) FROM gpu_claims"}).out);
  }
  void MakeRoomAndResume() {
    disk_->Resize("100m");
    ExpectSuccess(Resume());
    EXPECT_EQ(StatusOfRun(), "succeeded");
    EXPECT_EQ(Starts(), 1);
  }

  std::unique_ptr<SmallDisk> disk_;
};

TEST_F(DiskFaultTest, ALogForWhichThereIsNoRoomEndsNoJob) {
  FullHere();
  Stage("seq 500000; echo done >\"$COSMOS_OUTPUT_DIR/o\"", ", resources: {gpus: 1}, retry: {attempts: 3}", "o: o",
        ", gpus: 1");
  ExpectInterrupted(RunIt());
  EXPECT_EQ(Leases(), 1);  // its GPU is nobody else's meanwhile
  MakeRoomAndResume();
  EXPECT_EQ(Output("o"), "done\n");
  EXPECT_EQ(LocalLog(), sandbox_.Read(job() / "run.log"));
  EXPECT_EQ(Leases(), 0);
}

TEST_F(DiskFaultTest, OutputsForWhichThereIsNoRoomStayOnTheHost) {
  FullHere();
  Stage("head -c 3000000 /dev/zero >\"$COSMOS_OUTPUT_DIR/o\"", ", retry: {attempts: 3}", "o: o");
  ExpectInterrupted(RunIt());
  MakeRoomAndResume();
  EXPECT_EQ(Output("o").size(), 3'000'000u);
}

TEST_F(DiskFaultTest, AJobThatFillsItsDiskIsReportedAsItEnded) {
  // A disk of the job's own: the account's workdir.
  const SmallDisk disk(host_->workdir(), "2m");
  Stage("cat /dev/zero >filler || true; exit 7");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("status 7"));
  EXPECT_EQ(sandbox_.Read(job() / "exit_status").find('\n'), std::string::npos);  // the disk was full indeed
}

TEST_F(DiskFaultTest, AGoodEndOnAFullDiskIsGood) {
  const SmallDisk disk(host_->workdir(), "2m");
  Stage("cat /dev/zero >filler || true; exit 0");
  EXPECT_EQ(RunIt().status, 0);
  EXPECT_EQ(StatusOfRun(), "succeeded");
}

TEST_F(DiskFaultTest, AJobFolderThatBecomesReadOnlyHidesNoEnd) {
  Stage("chmod 500 \"$COSMOS_OUTPUT_DIR/..\"; exit 5");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("status 5"));
}

TEST_F(DiskFaultTest, ALogThatIsDeletedIsRestored) {
  Stage("echo one; rm \"$COSMOS_OUTPUT_DIR/../run.log\"; echo two");
  EXPECT_EQ(RunIt().status, 0);
  EXPECT_EQ(sandbox_.Read(job() / "run.log"), "one\ntwo\n");
  EXPECT_THAT(LocalLog(), HasSubstr("two\n"));
}

}  // namespace
}  // namespace cosmos::testing
