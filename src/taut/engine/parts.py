"""Parts: functions of which a machine program is made, that are not compiled by themselves.

Numba's `njit` makes optimized machine code of every function, and again of every function that calls it, with all that
it calls. Of a program of a hundred small functions only the outermost one is ever called from Python. A function marked
`part` is therefore only translated to LLVM's language and linked into its callers; LLVM optimizes the whole once, at
the end. That takes a third of the time. Floor 3 of the house; knows nothing of networks.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

__all__ = ["part"]


class _PartLibrary(JITCodeLibrary):
    """A piece of a program: linked, but neither optimized nor made machine code."""

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.flags.no_compile = True
        super().run_pass(state)
        made = state["cr"]
        entry = [].append  # stands where Numba keeps what Python calls: a built-in function like no other, never called
        state.targetctx.insert_user_function(entry, made.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = _LowerResult(made.fndesc, made.call_helper, cfunc=entry, env=made.env)
        return True


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        manager, builder = PassManager("part"), DefaultPassBuilder
        manager.passes.extend(builder.define_untyped_pipeline(self.state).passes)
        manager.passes.extend(builder.define_typed_pipeline(self.state).passes)
        lowering = builder.define_nopython_lowering_pipeline(self.state).passes
        manager.passes.extend((_PartLowering if step is NativeLowering else step, words) for step, words in lowering)
        manager.finalize()
        return [manager]


def part(function: Any) -> Any:
    """Mark a function as a part of a program; it is translated once for each combination of types it is called with."""
    made = njit(
        pipeline_class=_PartCompiler, _nrt=False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(function)  # fmt: skip
    template = made.get_call_template

    def without_literals(arguments: Any, keywords: Any) -> Any:
        # Else a call with the number 0 would be another combination than one with any whole number.
        return template(tuple(map(types.unliteral, arguments)), keywords)

    made.get_call_template = without_literals
    return made
