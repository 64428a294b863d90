// The whole library: every header of core, autograd, nn, optim and data but those whose opening
// comment says "Not for users" and those of kernels and samples, and what programs use of train:
// checkpoints, and the loop that trains and saves. What this file reaches is public: it is
// installed, and nothing else is (tests/structure/test_public_headers.cpp holds it to that).
// Installed as <weft/weft.h>; a program links weft::weft.
#pragma once

#include "autograd/autograd.h"
#include "autograd/gradcheck.h"
#include "autograd/op_observer.h"
#include "autograd/ops.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/io/safetensors.h"
#include "core/parallel.h"
#include "core/phase.h"
#include "core/precision.h"
#include "core/products.h"
#include "core/random.h"
#include "core/shape_only.h"
#include "core/simd.h"
#include "core/tensor.h"
#include "data/data.h"
#include "nn/nn.h"
#include "optim/adam.h"
#include "optim/clip_grad.h"
#include "optim/ema.h"
#include "optim/lion.h"
#include "optim/lr_schedule.h"
#include "optim/muon.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "train/loop/checkpoint.h"
#include "train/loop/trainer.h"
