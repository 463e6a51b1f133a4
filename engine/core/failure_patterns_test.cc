#include "core/failure_patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using testing::HasSubstr;

FailureKind KindIn(const std::string& line) {
  return ReadVerdict("[11-24 10:00:00|INFO|transfer.py:1:main] Run generation\n  0%|          | 0/4\r" + line +
                     "\nand more\n")
      .kind;
}

// Each line was printed by the program that is named; the sources of Cosmos, PyTorch and Docker have them.
TEST(FailurePatternsTest, KnowsRealMessages) {
  // PyTorch
  EXPECT_EQ(KindIn("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity "
                   "of 79.15 GiB of which 1.2 GiB is free."),
            FailureKind::kCudaOom);
  EXPECT_EQ(KindIn("RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 10.76 GiB total capacity)"),
            FailureKind::kCudaOom);
  EXPECT_EQ(KindIn("torch.cuda.OutOfMemoryError: Allocation on device 0 would exceed allowed memory."),
            FailureKind::kCudaOom);
  EXPECT_EQ(KindIn("RuntimeError: CUDA error: out of memory"), FailureKind::kCudaOom);
  EXPECT_EQ(KindIn("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            FailureKind::kCudaOom);
  EXPECT_EQ(KindIn("FileNotFoundError: [Errno 2] No such file or directory: "
                   "'checkpoints/nvidia/Cosmos-Transfer1-7B/base_model.pt'"),
            FailureKind::kCheckpointMissing);
  EXPECT_EQ(KindIn("OSError: [Errno 28] No space left on device"), FailureKind::kDiskFull);
  EXPECT_EQ(KindIn("OSError: [Errno 122] Disk quota exceeded"), FailureKind::kDiskFull);
  // NCCL
  EXPECT_EQ(KindIn("[rank7]:[E626 05:06:30.929096625 ProcessGroupNCCL.cpp:632] [Rank 2] Watchdog caught collective "
                   "operation timeout: WorkNCCL(SeqNum=120049, OpType=_ALLGATHER_BASE, NumelIn=1, NumelOut=8, "
                   "Timeout(ms)=1800000) ran for 1800065 milliseconds before timing out."),
            FailureKind::kNcclTimeout);
  EXPECT_EQ(KindIn("ProcessGroupNCCL's watchdog got stuck for 480 seconds without making progress in monitoring "
                   "enqueued collectives."),
            FailureKind::kNcclTimeout);
  // cosmos-transfer1
  EXPECT_EQ(KindIn("[03-19 22:06:02|CRITICAL|cosmos_transfer1/auxiliary/guardrail/common/presets.py:60:run_text_"
                   "guardrail] GUARDRAIL BLOCKED: Prompt blocked by safety model"),
            FailureKind::kGuardrailBlocked);
  EXPECT_EQ(KindIn("[03-19 22:06:02|CRITICAL|transfer.py:300:demo] Guardrail blocked generation for entire batch."),
            FailureKind::kGuardrailBlocked);
  EXPECT_EQ(KindIn("ValueError: Guardrail check failed: Generated video is unsafe"), FailureKind::kGuardrailBlocked);
  // cosmos-transfer2.5
  EXPECT_EQ(KindIn("Exception: Guardrail blocked video2world generation."), FailureKind::kGuardrailBlocked);
  EXPECT_EQ(KindIn("[11-24 10:00:00|INFO|guardrail/llamaGuard3.py:1] Input is: UNSAFE. Category: S9"),
            FailureKind::kGuardrailBlocked);
  EXPECT_EQ(KindIn("ValueError: Checkpoint path '/models/edge.pt' does not exist."), FailureKind::kCheckpointMissing);
}

TEST(FailurePatternsTest, ExplainsWhatHasNoKind) {
  const std::pair<const char*, const char*> lines[] = {
      {"RuntimeError: No CUDA GPUs are available", "found no GPU"},
      {"[ 42.0] NVRM: Xid (PCI:0000:4f:00): 79, pid=1, GPU has fallen off the bus.", "a GPU failed"},
      {"CUDA error: an illegal memory access was encountered", "a GPU failed"},
      {"docker: Error response from daemon: could not select device driver \"\" with capabilities: [[gpu]].",
       "cannot give a GPU"},
      {"Unable to find image 'nvcr.io/me/x:1' locally", "image"},
      {"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure", "driver"},
      {"Failed to initialize NVML: Driver/library version mismatch", "driver"},
      {"Unable to determine the device handle for GPU0000:4F:00.0: Unknown Error", "a GPU failed"},
  };
  for (const auto& [line, what] : lines) {
    const LogVerdict verdict = ReadVerdict(line);
    EXPECT_EQ(verdict.kind, FailureKind::kNone) << line;
    EXPECT_THAT(verdict.what, HasSubstr(what)) << line;
    EXPECT_EQ(verdict.line, line);
  }
}

TEST(FailurePatternsTest, WhatExplainsTheOthersCounts) {
  const LogVerdict verdict = ReadVerdict(
      "[rank1]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1)\n"
      "[rank0]: torch.OutOfMemoryError: CUDA out of memory.\n"
      "[rank2]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1)\n");
  EXPECT_EQ(verdict.kind, FailureKind::kCudaOom);
  EXPECT_EQ(verdict.line, "[rank0]: torch.OutOfMemoryError: CUDA out of memory.");
}

TEST(FailurePatternsTest, WordsOfOnePatternStandInOneLine) {
  EXPECT_TRUE(ReadVerdict("No such file or directory: 'in.mp4'\nloading checkpoints/\n").what.empty());
  EXPECT_TRUE(ReadVerdict("").what.empty());
  EXPECT_TRUE(ReadVerdict("all is well").what.empty());
}

TEST(FailurePatternsTest, OnlyAFailureThatTellsNoMoreTakesTheKind) {
  const LogVerdict oom = ReadVerdict("RuntimeError: CUDA out of memory.");
  const Failure explained = Explained({FailureKind::kExitCode, "the job exited with status 1"}, oom);
  EXPECT_EQ(explained.kind, FailureKind::kCudaOom);
  EXPECT_EQ(explained.message,
            "the GPU's memory was not enough (its log: `RuntimeError: CUDA out of memory.`); free the GPU, or give the "
            "stage `retry: {on_oom: [offload, more_gpus, fewer_frames]}`; the job exited with status 1");
  EXPECT_EQ(Explained({FailureKind::kOutputMissing, "m"}, oom).kind, FailureKind::kCudaOom);
  for (const FailureKind kind : {FailureKind::kTimeout, FailureKind::kCancelled, FailureKind::kHostRebooted}) {
    EXPECT_EQ(Explained({kind, "m"}, oom).kind, kind);
    EXPECT_EQ(Explained({kind, "m"}, oom).message, "m");
  }
  EXPECT_EQ(Explained({FailureKind::kExitCode, "m"}, {}).message, "m");
  EXPECT_EQ(Explained({FailureKind::kExitCode, "m"}, ReadVerdict("No CUDA GPUs are available")).kind,
            FailureKind::kExitCode);
}

TEST(FailurePatternsTest, AdviceAboutMemoryIsWhatTheStageCanFollow) {
  const std::string message =
      Explained({FailureKind::kExitCode, "it exited"}, ReadVerdict("RuntimeError: CUDA out of memory.")).message;
  EXPECT_THAT(WithOomSteps(message, {}), testing::Not(testing::HasSubstr("on_oom")));
  EXPECT_THAT(WithOomSteps(message, {}), testing::HasSubstr("; free the GPU, or give the stage less to do; it exited"));
  EXPECT_THAT(WithOomSteps(message, {"offload", "more_gpus"}),
              testing::HasSubstr("`retry: {on_oom: [offload, more_gpus]}`; it exited"));
  EXPECT_EQ(WithOomSteps("another", {}), "another");
}

TEST(FailurePatternsTest, ALongLineIsCut) {
  const LogVerdict verdict = ReadVerdict("CUDA out of memory " + std::string(5000, 'x'));
  EXPECT_LT(verdict.line.size(), 250U);
}

}  // namespace
}  // namespace cosmos
