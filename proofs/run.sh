#!/usr/bin/env bash
# usage: proofs/run.sh [FILE]...: Frama-C proves the readers of hostile bytes free of run-time errors (invalid memory,
# overflow, unsigned ones too, endless loops) against the contracts in their headers, for every input. A copy with the
# length check taken out must not be provable: otherwise the proof would say nothing. With FILEs, only those and their
# broken copies. Needs frama-c, why3, cvc4, z3.
# Not proved: err.c, what the values mean, and the use of these functions by other files.
#
# Each file is tried first with one prover and whole goals, which is by far the fastest, and what it leaves open with two
# provers and each goal in parts. Provers are bounded by steps (PROOF_STEPS), not by seconds, so that a busy machine proves the same.
set -euo pipefail
cd "$(dirname "$0")/.."
# The slow ones first, so that none is left alone at the end.
files=(src/binding/protobuf.c src/trust/pck.c src/evidence/dcap/quote.c src/evidence/dcap/quote_claims.c
    src/binding/oe_report.c src/binding/flashbots_message.c
    src/binding/seat_schemes.c src/binding/constellation_parts.c src/binding/atlas_http.c
    src/trust/tpm_public.c src/evidence/tpm/attest.c src/evidence/tpm/hcl.c src/evidence/tpm/signature.c
    src/evidence/log/tcg.c src/evidence/log/ima.c src/codec/msgpack.c src/codec/msgpack_write.c
    src/binding/dstack_v0.c src/attest/qgs_message.c src/attest/cert_table.c src/binding/intel_quote.c
    src/base/reader.c src/base/writer.c src/codec/scale.c src/evidence/dcap/report.c src/binding/cocos_frame.c
    src/binding/protobuf_find.c src/binding/sevsnp.c src/binding/go_attestation.c
    src/binding/tdx_quote_message.c src/binding/hello.c src/evidence/snp/report.c src/trust/amd_cert_table.c src/trust/item.c
    src/store/bundle_read.c)
parts=(src/trust/pck.c) # with goals that only two provers prove, and in parts: not tried otherwise
steps=${PROOF_STEPS:-500000}
broken_steps=100000 # what a broken copy still promises is proved in fewer; what it does not, is in none
seconds=${PROOF_SECONDS:-120}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work # why3 keeps its list of provers there: nobody's own is touched
why3 config detect >"$work/why3.log" 2>&1 || { cat "$work/why3.log"; exit 1; }
began=$SECONDS

wanted() { # wanted FILE: among the arguments of this script, or there are none
    [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]
}
only=("$@")

# pool COMMAND...: in the background. Frama-C waits between goals: one job more than there are processors.
pool() {
    while [ "$(jobs -pr | wc -l)" -gt "$(nproc)" ]; do
        wait -n || true
    done
    "$@" &
}

# prove ROOT LOG FILE OPTION...: all goals of one file
prove() {
    (cd "$1" && frama-c -machdep gcc_x86_64 -cpp-extra-args="-Iinclude -Isrc" -warn-unsigned-overflow \
        -wp -wp-rte -wp-par 6 "${@:4}" "$3") >"$2" 2>&1
}

counts() { # counts LOG: goals proved, and goals
    sed -n 's/^\[wp\] Proved goals: *\([0-9]*\) *\/ *\([0-9]*\).*/\1 \2/p' "$1"
}

open_goals() { # open_goals LOG
    grep -E ': (Timeout|Unknown|Failed|Stepout|Step limit)|\[Failed\]' "$1" | grep -o 'typed_[a-zA-Z0-9_]*' | sort -u || true
}

# prove_file FILE NAME: its counts in $work/NAME.counts, complaints in $work/NAME.open
prove_file() {
    local log=$work/$2.log since=$SECONDS p=0 g=0 again=
    if [[ " ${parts[*]} " != *" $1 "* ]]; then
        prove . "$log" "$1" -wp-prover cvc4 -wp-steps "$steps" -wp-timeout 600 || true
        read -r p g < <(counts "$log") || p=0 g=0
        again=", in two rounds"
    fi
    if [ "$g" -eq 0 ] || [ "$p" -ne "$g" ]; then
        prove . "$log" "$1" -wp-prover cvc4,z3 -wp-split -wp-timeout "$seconds" || true
        read -r p g < <(counts "$log") || p=0 g=0
    else
        again=
    fi
    echo "$1: $p of $g, $((SECONDS - since)) s$again"
    echo "$p $g" >"$work/$2.counts"
    if [ "$g" -eq 0 ]; then
        tail -20 "$log" | tee "$work/$2.open"
    elif [ "$p" -ne "$g" ]; then
        open_goals "$log" | sed "s|^|  open in $1: |" | tee "$work/$2.open"
    fi
    if grep -E 'annot-error|Ignoring|Missing assigns clause' "$log"; then
        echo "  a contract of $1 was not understood" | tee -a "$work/$2.open"
    fi
}

# prove_broken NAME FUNCTION FILE SED GOAL: complaints in $work/NAME.open
prove_broken() {
    local copy=$work/$1 log=$work/$1.log
    mkdir "$copy"
    cp -r include src "$copy"
    sed -i "$4" "$copy/$3"
    if cmp -s "$3" "$copy/$3"; then
        echo "proofs: the broken copy of $2 is not broken: mend the sed in proofs/run.sh" | tee "$work/$1.open"
    elif ! prove "$copy" "$log" "$3" -wp-prover cvc4 -wp-steps "$broken_steps" -wp-timeout 600 -wp-fct "$2"; then
        tail -20 "$log" | tee "$work/$1.open"
    elif ! open_goals "$log" | grep -qE "^typed_$2_$5"; then
        echo "proofs: the broken copy of $2 in $3 was proved too" | tee "$work/$1.open"
    fi
    rm -rf "$copy"
}

copies=0
# broken FUNCTION FILE SED [GOAL]: the copy with SED applied must differ, and leave open what FUNCTION promises (or the
# goal named)
broken() {
    if wanted "$2"; then
        copies=$((copies + 1))
        pool prove_broken "copy$copies" "$1" "$2" "$3" "${4:-(ensures|assert_rte_unsigned_overflow)}"
    fi
}

n=0
for file in "${files[@]}"; do
    if wanted "$file"; then
        n=$((n + 1))
        pool prove_file "$file" "file$n"
    fi
done
broken take src/base/reader.c 's/r->failed || r->left < len/r->failed/'
broken grow src/base/writer.c 's/w->failed || w->cap - w->len < len/w->failed/'
broken next_pair src/trust/pck.c 's/ || arc > max//'
broken skip_digests src/evidence/log/tcg.c 's/ || at >= log->algorithms_n || seen/ || seen/' assert_rte_index_bound
broken read_spec_id src/evidence/log/tcg.c 's/ || n > ATLS_TCG_ALGORITHMS_MAX//' call_read_algorithms_requires
broken read_selections src/evidence/tpm/attest.c 's/size == 0 || size > ATLS_TPM_SELECT_MAX/size == 0/' call_read_bitmap_requires
broken attest_cert_table_len src/attest/cert_table.c 's/ || offset > table.len - len//' loop_invariant
broken is_inside src/trust/amd_cert_table.c 's/ && end <= len//'
broken until src/evidence/log/ima.c 's/i < b.len; i++/; i++/' assert_rte_mem_access
broken is_zero src/evidence/tpm/hcl.c 's/i < bytes.len; i++/; i++/' assert_rte_mem_access
broken is_zero src/evidence/snp/report.c 's/i < b.len; i++/; i++/' assert_rte_mem_access
broken is_atls src/binding/hello.c 's/name.len >= 4 && //' assert_rte_mem_access
broken take_line src/binding/atlas_http.c 's/len < r->left && //' assert_rte_mem_access
broken put_bytes src/binding/tdx_quote_message.c 's/ || len > ATLS_TDX_FIXED_LEN - at//' assert_rte_mem_access
broken atls_msgpack_put_numbers src/codec/msgpack_write.c 's/i < bytes.len; i++/; i++/' assert_rte_mem_access
broken put_bytes src/binding/sevsnp.c 's/ || len > ATLS_SEVSNP_REPORT_LEN - at//' assert_rte_mem_access
broken read_pcr src/binding/go_attestation.c 's/key >= PCRS || //' assert_rte_index_bound
broken atls_store_bundle_parse src/store/bundle_read.c 's/items.left - r.left/r.left - items.left/' assert_rte_unsigned_overflow
broken is_key src/trust/item.c 's/key.len < 2 || //' 'assert_rte_(unsigned_overflow|mem_access)'
wait

proved=0
goals=0
for file in "$work"/*.counts; do
    read -r p g <"$file"
    proved=$((proved + p))
    goals=$((goals + g))
done
if [ "$n" -eq 0 ] || [ "$(cat "$work"/*.counts | wc -l)" -ne "$n" ] || compgen -G "$work/*.open" >/dev/null; then
    echo "proofs: $proved of $goals goals; what is open stands above"
    exit 1
fi
echo "proofs: $proved of $goals goals in $n files, $copies broken copies refused, $((SECONDS - began)) s"
