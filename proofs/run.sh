#!/usr/bin/env bash
# usage: proofs/run.sh: Frama-C proves the readers of hostile bytes free of run-time errors (invalid memory, overflow,
# unsigned ones too, endless loops) against the contracts in their headers, for every input. A copy with the length
# check taken out must not be provable: otherwise the proof would say nothing. Needs frama-c, why3, cvc4, z3.
# Not proved: err.c, all of src/binding/tdx_quote_message.c (two goals of read_message are open), what the values mean, and the use of these functions by other files.
# PROOF_SECONDS (60) is the longest for one goal: goals take far less, but machines are busy.
set -euo pipefail
cd "$(dirname "$0")/.."
files=(src/base/reader.c src/base/writer.c src/codec/scale.c src/evidence/dcap/report.c src/evidence/dcap/quote.c
    src/evidence/dcap/quote_claims.c src/trust/pck.c
    src/attest/cert_table.c src/attest/qgs_message.c src/binding/flashbots_message.c src/binding/seat_schemes.c
    src/binding/cocos_frame.c src/binding/intel_quote.c src/binding/oe_report.c src/binding/protobuf.c
    src/binding/hello.c src/binding/constellation_parts.c src/binding/atlas_http.c
    src/trust/tpm_public.c src/evidence/tpm/attest.c src/evidence/tpm/hcl.c src/evidence/tpm/signature.c
    src/evidence/snp/report.c src/trust/amd_cert_table.c src/trust/item.c src/evidence/log/tcg.c src/evidence/log/ima.c
    src/codec/msgpack.c src/binding/dstack_v0.c)
whole=(src/evidence/log/tcg.c src/evidence/log/ima.c src/binding/hello.c
    src/binding/atlas_http.c) # goals not split: fewer, and together faster
seconds=${PROOF_SECONDS:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work # why3 keeps its list of provers there: nobody's own is touched
why3 config detect >"$work/why3.log" 2>&1 || { cat "$work/why3.log"; exit 1; }

prove() { # prove ROOT SECONDS FILE [OPTION]...: the log of all goals of one file
    (cd "$1" && frama-c -machdep gcc_x86_64 -cpp-extra-args="-Iinclude -Isrc" -warn-unsigned-overflow \
        -wp -wp-rte -wp-prover cvc4,z3 -wp-timeout "$2" -wp-par 2 "${@:4}" "$3") 2>&1
}

proved=0
goals=0
open=0
for file in "${files[@]}"; do
    log=$work/log
    began=$SECONDS
    split=(-wp-split)
    case " ${whole[*]} " in *" $file "*) split=() ;; esac
    if ! prove . "$seconds" "$file" "${split[@]}" >"$log"; then
        tail -20 "$log"
        exit 1
    fi
    read -r p g < <(sed -n 's/^\[wp\] Proved goals: *\([0-9]*\) *\/ *\([0-9]*\).*/\1 \2/p' "$log") || {
        echo "proofs: no goals in $file"
        exit 1
    }
    echo "$file: $p of $g, $((SECONDS - began)) s"
    if [ "$p" -ne "$g" ] || [ "$g" -eq 0 ]; then
        grep -E 'Timeout|Unknown|Failed' "$log" | grep -o 'typed_[a-zA-Z0-9_]*' | sort -u | sed 's/^/  open: /' || true
        open=1
    fi
    if grep -E 'annot-error|Ignoring|Missing assigns clause' "$log"; then
        echo "  a contract of $file was not understood"
        open=1
    fi
    proved=$((proved + p))
    goals=$((goals + g))
done

# broken FUNCTION FILE SED [GOAL]: the copy with SED applied must differ, and leave open what FUNCTION promises (or the
# goal named)
broken() {
    rm -rf "$work/copy"
    mkdir "$work/copy"
    cp -r include src "$work/copy"
    sed -i "$3" "$work/copy/$2"
    if cmp -s "$2" "$work/copy/$2"; then
        echo "proofs: the broken copy of $1 is not broken: mend the sed in proofs/run.sh"
        exit 1
    fi
    prove "$work/copy" 5 "$2" -wp-split -wp-fct "$1" >"$work/log" || { tail -20 "$work/log"; exit 1; }
    if ! grep -E 'Timeout|Unknown|Failed' "$work/log" | grep -qE "typed_$1_${4:-(ensures|assert_rte_unsigned_overflow)}"; then
        echo "proofs: the broken copy of $1 was proved too"
        exit 1
    fi
}
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

echo "proofs: $proved of $goals goals, broken copies refused"
[ $open -eq 0 ]
