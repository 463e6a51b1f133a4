// What a link that breaks again and again leaves in the engine.
#include "faults_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;

class LinkFaultTest : public FaultTest {};

TEST_F(LinkFaultTest, ReconnectionsLeaveNoDescriptor) {
  constexpr int kCuts = 12;
  const fs::path go = host_->workdir() / "go";
  Stage("until [ -e " + go.string() + " ]; do date +%s.%N; sleep 0.05; done");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", kRun});
  const auto await_more = [this] {
    const std::size_t before = LocalLog().size();
    Await("more of the log", [&] { return LocalLog().size() > before; });
  };
  await_more();
  const int before = DescriptorsOf(engine);
  for (int cut = 0; cut < kCuts; ++cut) {
    host_->proxy().CutAll();
    await_more();
  }
  // Short commands come and go.
  Await("the descriptors of before", [&] { return DescriptorsOf(engine) <= before; });
  std::ofstream(go) << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_EQ(LocalLog(), sandbox_.Read(job() / "run.log"));
}

}  // namespace
}  // namespace cosmos::testing
