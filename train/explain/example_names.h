// The worked example's matrices with their names, as both the terminal and the page show them.
#pragma once

#include <string>
#include <vector>

#include "train/explain/text_picture.h"
#include "train/explain/worked_example.h"

namespace weft::explain {

std::string example_title(const Example& example);
/// x; W_Q, W_K, W_V; Q, K, V; then scores and weights of each head; z. Matrices that belong in one
/// row stand together.
std::vector<std::vector<NamedMatrix>> step_matrices(const Example& example, Mixing mixing);
/// Shape: values (T d, T d).
NamedMatrix jacobian_matrix(const Example& example, const Arm& arm);

}  // namespace weft::explain
