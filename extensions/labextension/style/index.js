import "@nebula-lab/common/style/index.css";
import "./base.css";
