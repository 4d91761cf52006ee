class Explainer:
    def __init__(self, solver): self.solver=solver
    def contradiction(self, nogood): 
        from nebula_lab.errors import NoVersionFitsError
        return NoVersionFitsError('x','m',existing=0,requested=0,reasons=(),cures=())
    def left_out(self): return {}
