# SPDX-License-Identifier: Apache-2.0
"""What the two executor modules are made of: making executors, values for inputs, tensors."""
