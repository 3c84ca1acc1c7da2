# SPDX-License-Identifier: Apache-2.0
# Nothing to cimport: the room hooks into convert when it is imported.
