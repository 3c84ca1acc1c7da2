# SPDX-License-Identifier: Apache-2.0
# Nothing to cimport: the module hooks into pack and unpack when it is imported.
